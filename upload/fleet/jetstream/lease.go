package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
)

// renewalsPerLease is how often a lease is renewed in its term.
const renewalsPerLease = 6

// lookAgain is how long a claim waits before it believes that it has lost its lease: a
// leader that has just been elected or deposed may answer from the past.
const lookAgain = 250 * time.Millisecond

func newMessage(subject string, data []byte) *nats.Msg {
	return &nats.Msg{Subject: subject, Data: data, Header: nats.Header{}}
}

func (c *claim) leaseMessage() *nats.Msg { return newMessage(c.subj.lease(), c.holding.encode()) }

func (c *claim) ttl() jetstream.PublishOpt { return jetstream.WithMsgTTL(c.store.opts.Lease) }

// expect makes a write conditional on the last message on its own subject.
func expect(seq uint64) jetstream.PublishOpt { return jetstream.WithExpectLastSequencePerSubject(seq) }

// nextID returns the ID of the claim's next message.
func (c *claim) nextID() string {
	c.ids++
	return fmt.Sprintf("%s-%d", c.holding.Claim, c.ids)
}

// renewals renews the lease until the claim ends. A request that got no answer is
// repeated all the while.
func (c *claim) renewals(asked time.Time) {
	every := c.store.opts.Lease / renewalsPerLease
	for {
		if sleep(c.ctx, time.Until(asked.Add(every))) != nil {
			return
		}
		asked = time.Now()
		err := c.request(c.ctx, c.renew)
		switch {
		case errors.Is(err, checkpoint.ErrLost):
			c.engine.log.Warn("jetstream: a claim is lost", "upload", c.key, "error", err)
			return
		case err != nil && c.ctx.Err() == nil:
			c.engine.log.Warn("jetstream: a claim was not renewed", "upload", c.key, "lost at", c.lease.Until(), "error", err)
		}
	}
}

// renew writes the lease message again. The caller has the turn.
func (c *claim) renew(ctx context.Context) error {
	asked := time.Now()
	next := c.holding
	next.Renewals++
	m := newMessage(c.subj.lease(), next.encode())
	seq, err := c.conditional(ctx, m, c.ttl(), func() jetstream.PublishOpt { return expect(c.seq) })
	if err != nil {
		return fmt.Errorf("renew the claim of %v: %w", c.key, err)
	}
	c.holding, c.seq = next, seq
	return c.lease.Renewed(asked)
}

// write writes a message if the claim is still this holder's, and returns its sequence.
// The caller has the turn.
func (c *claim) write(ctx context.Context, m *nats.Msg) (uint64, error) {
	return c.conditional(ctx, m, nil, c.fence)
}

// writeFor is write for a message that is gone after a while.
func (c *claim) writeFor(ctx context.Context, m *nats.Msg, ttl time.Duration) (uint64, error) {
	return c.conditional(ctx, m, jetstream.WithMsgTTL(ttl), c.fence)
}

// fence makes a write to any subject conditional on the lease message.
func (c *claim) fence() jetstream.PublishOpt {
	return jetstream.WithExpectLastSequenceForSubject(c.seq, c.subj.lease())
}

// conditional writes a message under a condition on the lease message. When the engine
// refuses it, the lease itself says why.
func (c *claim) conditional(ctx context.Context, m *nats.Msg, ttl jetstream.PublishOpt, condition func() jetstream.PublishOpt) (uint64, error) {
	id := c.nextID()
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		opts := []jetstream.PublishOpt{condition()}
		if ttl != nil {
			opts = append(opts, ttl)
		}
		ack, err := c.engine.publish(ctx, m, id, opts...)
		if err == nil {
			return ack.Sequence, nil
		}
		if !isConflict(err) {
			return 0, err
		}
		if err := c.look(ctx); err != nil {
			return 0, err
		}
		if err := sleep(ctx, pause); err != nil {
			return 0, err
		}
	}
}

// look returns nil if the lease is this claim's, and loses it if it is not.
func (c *claim) look(ctx context.Context) error {
	for again := false; ; again = true {
		m, err := c.engine.last(ctx, c.subj.lease())
		if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
			return err
		}
		var cause error
		switch {
		case err != nil:
			cause = errors.New("its lease has ended")
		case holdingOf(m).Claim != c.holding.Claim:
			cause = fmt.Errorf("%q has it now", holdingOf(m).Holder)
		default:
			c.adopt(m)
			return nil
		}
		if again {
			return c.lease.Lose(cause)
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return err
		}
	}
}

// adopt takes a renewal as done whose acknowledgement was lost. A message from before
// what is known is a leader's that does not know yet that it is none.
func (c *claim) adopt(m *jetstream.RawStreamMsg) {
	if h := holdingOf(m); h.Renewals > c.holding.Renewals {
		c.holding, c.seq = h, m.Sequence
	}
}
