package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
)

// asideFor is how long a damaged record is kept.
const asideFor = 7 * 24 * time.Hour

// load reads what is known of the upload. Its messages come in the order in which they
// were written: the claim's own lease message, which is the last, shows that the leader
// that answers has all that was written before.
func (c *claim) load(ctx context.Context) error {
	var found *jetstream.RawStreamMsg
	err := c.request(ctx, func(ctx context.Context) (err error) {
		found, err = c.read(ctx)
		return err
	})
	if errors.Is(err, checkpoint.ErrDamaged) {
		return c.setAside(ctx, found, err)
	}
	if err != nil {
		return fmt.Errorf("read the checkpoint of %v: %w", c.key, err)
	}
	return c.lease.Err()
}

// read returns the last message that it has read.
func (c *claim) read(ctx context.Context) (m *jetstream.RawStreamMsg, err error) {
	for from := uint64(1); ; from = m.Sequence + 1 {
		m, err = c.engine.next(ctx, c.subj.all(), from)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			// The lease is not where it was just written: a leader from the past, or lost.
			if err := c.look(ctx); err != nil {
				return nil, err
			}
			from, c.state, c.parts, c.marked = 0, state{}, false, false
			m = &jetstream.RawStreamMsg{}
			continue
		}
		if err != nil {
			return nil, err
		}
		if m.Subject == c.subj.lease() {
			if holdingOf(m).Claim != c.holding.Claim {
				return nil, c.look(ctx)
			}
			return m, nil
		}
		if err := c.readMessage(m); err != nil {
			return m, err
		}
	}
}

func (c *claim) readMessage(m *jetstream.RawStreamMsg) error {
	if m.Subject == c.subj.record() {
		if isRemoved(m) {
			return nil
		}
		r, err := decodeRecord(m, &c.key)
		if err != nil {
			return err
		}
		c.marked, c.begin, c.unbegun = true, r.begin, r.unbegun
		if r.begin != "" {
			c.state = newState(r.rec)
		}
		return nil
	}
	begin, ok := c.subj.beginOf(m.Subject)
	if !ok {
		return nil
	}
	c.parts = true
	if !c.state.ok || begin != c.begin {
		return nil // of a record that was replaced
	}
	return decodeParts(m.Data, c.state.put)
}

// setAside moves a message that cannot be read out of the way, and what belongs to it.
func (c *claim) setAside(ctx context.Context, m *jetstream.RawStreamMsg, cause error) error {
	c.state, c.begin, c.unbegun, c.marked, c.parts = state{}, "", time.Time{}, true, true
	c.damaged = fmt.Errorf("%w: message %d of stream %s; kept for a week on %s", cause, m.Sequence, c.engine.name, c.subj.aside())
	return c.request(ctx, func(ctx context.Context) error {
		if _, err := c.writeFor(ctx, newMessage(c.subj.aside(), m.Data), asideFor); err != nil {
			return fmt.Errorf("set aside a damaged checkpoint of %v: %w", c.key, err)
		}
		if err := c.erase(ctx); err != nil {
			return err
		}
		c.marked, c.parts = false, false
		return nil
	})
}
