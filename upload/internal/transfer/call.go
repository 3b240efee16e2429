package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// An upload is one run of a [Job].
type upload struct {
	*Service
	job    *Job
	remote wire.Remote
	plan   Plan

	acked    atomic.Int64 // bytes that the server has
	inFlight atomic.Int64 // bytes handed to connections, not yet acknowledged
	sent     atomic.Int64 // bytes handed to connections, retries included
	told     atomic.Int64 // when the last Progress for bytes in flight went out, in ns
	retrying atomic.Bool  // a Retrying went out, no WentOn yet
}

// call makes one request until it succeeds or its error is final. It is the only
// place that retries. part is 0 for requests that are not about one.
func (u *upload) call(ctx context.Context, part int, fn func(context.Context, Snapshot) error) error {
	return u.callOr(ctx, part, fn, func(*wire.Error) bool { return false })
}

// callOr is call for a request that may have done its work although it failed:
// resolved is asked after each failure, without a slot, and true is success.
func (u *upload) callOr(ctx context.Context, part int, fn func(context.Context, Snapshot) error, resolved func(*wire.Error) bool) error {
	b := newBudget(u.opts.Retry)
	b.seen = u.acked.Load()
	for {
		err := u.attempt(ctx, fn)
		var we *wire.Error
		if err == nil || errors.As(err, &we) && ctx.Err() == nil && resolved(we) {
			if b.retries > 0 && u.retrying.CompareAndSwap(true, false) {
				u.emit(Event{Kind: WentOn, Part: part})
			}
			return nil
		}
		if we == nil {
			return err
		}
		if ctx.Err() != nil {
			return canceled(ctx, err)
		}
		if we.Class == wire.Token {
			u.job.Gate.Expired(we.Generation, we)
			continue
		}
		v := b.next(we, u.acked.Load(), 2*u.opts.Parallel)
		if !v.again {
			if b.retries > 0 {
				return fmt.Errorf("%w (gave up after %d retries)", err, b.retries)
			}
			return err
		}
		if v.counted {
			u.retrying.Store(true)
			u.emit(Event{Kind: Retrying, Part: part, Attempt: b.retries, Delay: v.delay, Err: err})
		}
		if serr := sleep(ctx, v.delay); serr != nil {
			return canceled(ctx, err)
		}
	}
}

// attempt makes one request with the credentials of now, and waits for them
// without a slot, so that files with other credentials can go on.
func (u *upload) attempt(ctx context.Context, fn func(context.Context, Snapshot) error) error {
	for {
		ready, err := u.inSlot(ctx, fn)
		if ready || err != nil {
			return err
		}
		if err := u.job.Gate.Wait(ctx); err != nil {
			return err
		}
	}
}

// inSlot returns false when there are no credentials to make the request with.
func (u *upload) inSlot(ctx context.Context, fn func(context.Context, Snapshot) error) (bool, error) {
	if err := u.job.Slots.Acquire(ctx); err != nil {
		return false, err
	}
	defer u.job.Slots.Release()
	s, ok := u.job.Gate.Current()
	if !ok {
		return false, nil
	}
	err := fn(ctx, s)
	if err == nil {
		u.job.Gate.Accepted(s.Generation)
	}
	return true, err
}

// canceled keeps both: why the context ended, and what the request had met.
func canceled(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", cause, err)
}

func (u *upload) emit(e Event) {
	if u.job.Emit == nil {
		return
	}
	e.Uploaded, e.InFlight, e.Sent = u.acked.Load(), u.inFlight.Load(), u.sent.Load()
	u.job.Emit(e)
}

func (u *upload) warn(err error) {
	u.emit(Event{Kind: Warning, Err: err})
}

// progressInterval is how far apart the Progress events for bytes in flight are.
// Each acknowledged part has one of its own.
const progressInterval = 100 * time.Millisecond

// A meter counts the bytes of one attempt as they are handed to the connection.
type meter struct {
	u *upload
	n atomic.Int64
}

func (m *meter) add(n int64) {
	m.n.Add(n)
	m.u.inFlight.Add(n)
	m.u.sent.Add(n)
	now := time.Now().UnixNano()
	last := m.u.told.Load()
	if now-last >= int64(progressInterval) && m.u.told.CompareAndSwap(last, now) {
		m.u.emit(Event{Kind: Progress})
	}
}

// end takes the attempt's bytes out of what is in flight, whatever became of them.
func (m *meter) end() { m.u.inFlight.Add(-m.n.Load()) }

// body is the section of the source that one attempt sends. Its failed method
// tells a source that cannot be read from a connection that cannot be written.
type body struct {
	src Source
	err atomic.Pointer[error]
}

func (b *body) ReadAt(p []byte, off int64) (int, error) {
	n, err := b.src.ReadAt(p, off)
	if err != nil && n < len(p) {
		b.err.CompareAndSwap(nil, &err)
	}
	return n, err
}

func (b *body) failed() error {
	if err := b.err.Load(); err != nil {
		return fmt.Errorf("read source: %w", *err)
	}
	return nil
}

// send runs one attempt that carries a section of the source.
func (u *upload) send(off, size int64, fn func(wire.Body) error) error {
	if err := u.job.Source.Check(); err != nil {
		return err
	}
	m := &meter{u: u}
	b := &body{src: u.job.Source}
	err := fn(wire.Body{R: b, Off: off, Size: size, Sent: m.add})
	m.end()
	if err == nil {
		return nil
	}
	// What the connection reports of a body that cannot be read looks like any
	// other broken connection, and would be retried.
	if local := b.failed(); local != nil {
		return local
	}
	return err
}
