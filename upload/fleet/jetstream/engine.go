package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload/fleet/internal/natsconn"
)

// A request without an answer is repeated: a server that stops, and an election, leave
// many of them.
const (
	tryTimeout = 2 * time.Second
	firstPause = 20 * time.Millisecond
	longPause  = 500 * time.Millisecond
)

// An engine makes requests of one stream. It repeats those that get no answer until
// their context ends.
type engine struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	name   string // of the stream, and the first token of all subjects
	log    *slog.Logger
}

// publish writes one message. Each repetition has the ID of the first, so that a message
// whose acknowledgement was lost is not written twice.
func (e *engine) publish(ctx context.Context, m *nats.Msg, id string, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	opts = append(opts, jetstream.WithMsgID(id), jetstream.WithExpectStream(e.name), jetstream.WithRetryAttempts(0))
	var ack *jetstream.PubAck
	err := e.do(ctx, func(ctx context.Context) (err error) {
		ack, err = e.js.PublishMsg(ctx, m, opts...)
		return err
	})
	return ack, err
}

// next returns the first message from a sequence on that a filter finds, or
// [jetstream.ErrMsgNotFound]. The stream's leader answers.
func (e *engine) next(ctx context.Context, filter string, from uint64) (m *jetstream.RawStreamMsg, err error) {
	err = e.do(ctx, func(ctx context.Context) error {
		m, err = e.stream.GetMsg(ctx, max(from, 1), jetstream.WithGetMsgSubject(filter))
		return err
	})
	return m, err
}

// last returns the message on a subject, or [jetstream.ErrMsgNotFound].
func (e *engine) last(ctx context.Context, subject string) (m *jetstream.RawStreamMsg, err error) {
	err = e.do(ctx, func(ctx context.Context) error {
		m, err = e.stream.GetLastMsgForSubject(ctx, subject)
		return err
	})
	return m, err
}

// delete deletes the message with a sequence, if it is still there.
func (e *engine) delete(ctx context.Context, seq uint64) error {
	err := e.do(ctx, func(ctx context.Context) error { return e.stream.DeleteMsg(ctx, seq) })
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) || code(err) == natsconn.SequenceNotFound {
		return nil // by an earlier try, or its time to live ended
	}
	return err
}

// purge deletes what a filter finds below a sequence.
func (e *engine) purge(ctx context.Context, filter string, below uint64) error {
	return e.do(ctx, func(ctx context.Context) error {
		return e.stream.Purge(ctx, jetstream.WithPurgeSubject(filter), jetstream.WithPurgeSequence(below))
	})
}

// subjects returns all subjects that a filter finds.
func (e *engine) subjects(ctx context.Context, filter string) (found map[string]uint64, err error) {
	err = e.do(ctx, func(ctx context.Context) error {
		info, err := e.stream.Info(ctx, jetstream.WithSubjectFilter(filter))
		if err == nil {
			found = info.State.Subjects
		}
		return err
	})
	return found, err
}

// do calls try until the engine has answered.
func (e *engine) do(ctx context.Context, try func(ctx context.Context) error) error {
	var last error
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := e.once(ctx, try)
		if !mayPass(err) {
			return err
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if err := sleep(ctx, pause); err != nil {
			if errors.Is(last, context.DeadlineExceeded) {
				return fmt.Errorf("jetstream: NATS has not answered: %w", err)
			}
			return fmt.Errorf("jetstream: NATS has not answered: %w (%w)", err, last)
		}
	}
}

// once makes one try, if there is a connection.
func (e *engine) once(ctx context.Context, try func(ctx context.Context) error) error {
	if s := e.nc.Status(); s != nats.CONNECTED {
		// A message would be kept and sent later, when nobody wants it any more.
		if s == nats.CLOSED {
			return nats.ErrConnectionClosed
		}
		return nats.ErrDisconnected
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	err := try(ctx)
	if errors.Is(err, context.DeadlineExceeded) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.probe()
	}
	return err
}

// probe leaves a server that does not answer.
func (e *engine) probe() {
	if left := natsconn.Probe(e.nc); left != "" {
		e.log.Warn("jetstream: the NATS server does not answer; connecting again", "server", left)
	}
}

// code returns the code of the engine's refusal, 0 if err is none.
func code(err error) jetstream.ErrorCode {
	var refused *jetstream.APIError
	if errors.As(err, &refused) {
		return refused.ErrorCode
	}
	var known jetstream.JetStreamError
	if errors.As(err, &known) && known.APIError() != nil {
		return known.APIError().ErrorCode
	}
	return 0
}

// mayPass reports whether a request that failed with err may succeed when it is
// repeated: nobody has answered it, or somebody who cannot.
func mayPass(err error) bool {
	switch c := code(err); {
	case natsconn.IsWithoutLeader(c), c == natsconn.DuplicateInFlight, c == natsconn.TooManyRequests:
		return true
	}
	for _, passing := range []error{
		context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, jetstream.ErrNoStreamResponse,
		nats.ErrDisconnected, nats.ErrConnectionReconnecting, nats.ErrReconnectBufExceeded, nats.ErrStaleConnection,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// isConflict reports whether the engine refused a conditional write. It does so as well
// while another write with the same condition is under way, and for a repetition of a
// write that it no longer knows, so that it is no proof of anything.
func isConflict(err error) bool {
	switch code(err) {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return true
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
