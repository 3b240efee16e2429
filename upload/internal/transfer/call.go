package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// An upload is one run of a [Job].
type upload struct {
	*Service
	job    *Job
	remote wire.Remote
	plan   Plan

	tally    tally
	emitting sync.Mutex  // so that events come in order
	retrying atomic.Bool // a Retrying went out, no WentOn yet
	starving atomic.Bool // the wait for a descriptor was told of
}

// A request makes one call to the server.
type request func(context.Context, Snapshot) error

// call makes one request until it succeeds or its error is final. part is 0 for
// requests that are not about one.
func (u *upload) call(ctx context.Context, part int, fn request) error {
	return u.retry(ctx, u.opts.Retry, part, fn, nil)
}

// local does something with the source that needs no request, until it succeeds or
// its error is final.
func (u *upload) local(ctx context.Context, part int, fn func() error) error {
	return u.again(ctx, u.opts.Retry, part, func(int) error { return fn() }, nil)
}

// retry makes a request until it succeeds or its error is final. Where a request may
// have done its work although it failed, resolved is asked after each failure, without
// a slot: true is success. last tells that the request will not be made again.
func (u *upload) retry(ctx context.Context, policy RetryPolicy, part int, fn request, resolved func(we *wire.Error, last bool) bool) error {
	return u.again(ctx, policy, part, func(wait int) error { return u.attempt(ctx, fn, wait) }, resolved)
}

// again is the only place where something is tried again.
func (u *upload) again(ctx context.Context, policy RetryPolicy, part int, try func(wait int) error, resolved func(we *wire.Error, last bool) bool) error {
	b := newBudget(policy, u.tally.acknowledged())
	told := false
	wait := u.patience.now()
	for {
		err := try(wait)
		if err == nil {
			u.wentOn(told, part)
			return nil
		}
		we, ok := answer(err)
		local, isLocal := errors.AsType[*sourceError](err)
		if isLocal { // what was sent without the rest is no request that may have done its work
			we = &wire.Error{Class: wire.Retry}
			if ok, _ = outlook(local.err); descriptors.Exhausted(local.err) {
				ok, we.Class = true, wire.Starved
			}
		}
		switch {
		case !ok:
			return err
		case we.Class == wire.Token:
			u.job.Gate.Expired(we.Generation, we)
			continue
		case we.Class == wire.Starved:
			u.starved(err)
		}
		wait = morePatience(wait, we)
		v := b.next(we, u.tally.acknowledged(), 2*u.opts.Parallel)
		if resolved != nil && !isLocal && we.Class != wire.Starved && resolved(we, !v.again) {
			u.wentOn(told, part)
			return nil
		}
		switch {
		case ctx.Err() != nil:
			return canceled(ctx, err)
		case !v.again && b.retries > 0:
			return fmt.Errorf("%w (gave up after %d retries)", err, b.retries)
		case !v.again:
			return err
		case v.counted:
			told = true
			u.retrying.Store(true)
			u.emit(Event{Kind: Retrying, Part: part, Attempt: b.retries, Delay: v.delay, Err: err})
		}
		if sleep(ctx, v.delay) != nil {
			return canceled(ctx, err)
		}
	}
}

// wentOn tells that a request got through after others were told to be retried.
func (u *upload) wentOn(told bool, part int) {
	if told && u.retrying.CompareAndSwap(true, false) {
		u.emit(Event{Kind: WentOn, Part: part})
	}
}

// attempt makes one request with the credentials of now, and waits for them
// without a slot, so that files with other credentials can go on. The answer may take
// wait times the StallTimeout.
func (u *upload) attempt(ctx context.Context, fn request, wait int) error {
	for {
		ready, err := u.inSlot(ctx, fn, wait)
		if ready || err != nil {
			return err
		}
		if err := u.job.Gate.Wait(ctx); err != nil {
			return &waitError{err}
		}
	}
}

// inSlot returns false when there are no credentials to make the request with.
func (u *upload) inSlot(ctx context.Context, fn request, wait int) (bool, error) {
	if err := u.job.Slots.Acquire(ctx); err != nil {
		return false, &waitError{err}
	}
	defer u.job.Slots.Release()
	s, ok := u.job.Gate.Current()
	if !ok {
		return false, nil
	}
	if wait > 1 {
		ctx = wire.WithPatience(ctx, wait)
	}
	begun := time.Now()
	err := fn(ctx, s)
	if err == nil {
		u.patience.answered(wait, time.Since(begun), u.opts.Wire.StallTimeout)
		u.job.Gate.Accepted(s.Generation)
	}
	return true, err
}

// A waitError ended a wait for a slot or for credentials. It may wrap the answer to
// an earlier request, for example the one that refused the last token; that is not
// the answer to the request which had to wait.
type waitError struct{ err error }

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// answer returns what became of a request, if err is that.
func answer(err error) (*wire.Error, bool) {
	var wait *waitError
	if errors.As(err, &wait) {
		return nil, false
	}
	var we *wire.Error
	return we, errors.As(err, &we)
}

func isAnswer(err error) bool {
	_, ok := answer(err)
	return ok
}

// canceled keeps both: why the context ended, and what the request had met.
func canceled(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", cause, err)
}

// send runs one attempt that carries a section of a source.
func (u *upload) send(src Source, off, size int64, fn func(wire.Body) error) error {
	if err := src.Check(); err != nil {
		return err
	}
	m := &meter{u: u}
	err := fn(wire.Body{R: src, Off: off, Size: size, Sent: m.add})
	var acked int64
	if err == nil {
		acked = size
	}
	u.tally.settle(m.n, acked)
	return err
}

func (u *upload) emit(e Event) {
	if u.job.Emit == nil {
		return
	}
	u.emitting.Lock()
	defer u.emitting.Unlock()
	e.Uploaded, e.InFlight, e.Sent = u.tally.counts()
	e.Err = target.OneLine(e.Err) // it is shown to people as it is
	u.job.Emit(e)
}

func (u *upload) warn(err error) {
	u.emit(Event{Kind: Warning, Err: err})
}
