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

// A caller makes requests: with a slot and the current credentials for each attempt, and
// again as the budget allows. A run of a file, a clean-up and a sweep each have one.
type caller struct {
	*Service
	gate    Gate
	slots   Slots
	report  func(Event) // may be nil
	putDown func()      // see [Job].Starved; may be nil

	tally    tally
	emitting sync.Mutex  // so that events come in order
	retrying atomic.Bool // a Retrying went out, and no Recovered yet
	starving atomic.Bool // the wait for a descriptor was reported
}

func (s *Service) callerFor(job *Job) *caller {
	return &caller{Service: s, gate: job.Gate, slots: job.Slots, report: job.Emit, putDown: job.Starved}
}

// A request makes one call to the server.
type request func(context.Context, Snapshot) error

// call makes one request until it succeeds or its error is final. part is 0 for
// requests that are not about one.
func (c *caller) call(ctx context.Context, part int, fn request) error {
	return c.retry(ctx, c.opts.Retry, part, fn, nil)
}

// once makes a request that is not made again if it fails.
func (c *caller) once(ctx context.Context, fn request) error {
	return c.retry(ctx, RetryPolicy{}, 0, fn, nil)
}

// local does something with the source that needs no request, until it succeeds or
// its error is final.
func (c *caller) local(ctx context.Context, part int, fn func() error) error {
	return c.again(ctx, c.opts.Retry, part, func(int) error { return fn() }, nil)
}

// retry makes a request until it succeeds or its error is final. Where a request may
// have done its work although it failed, resolved is called after each failure, without
// a slot: true means success. last says that the request will not be made again.
func (c *caller) retry(ctx context.Context, policy RetryPolicy, part int, fn request, resolved func(we *wire.Error, last bool) bool) error {
	return c.again(ctx, policy, part, func(wait int) error { return c.attempt(ctx, fn, wait) }, resolved)
}

// again is the only place where something is tried again.
func (c *caller) again(ctx context.Context, policy RetryPolicy, part int, try func(wait int) error, resolved func(we *wire.Error, last bool) bool) error {
	b := newBudget(policy, c.tally.acknowledged())
	reported := false
	wait := c.patience.now()
	for {
		err := try(wait)
		if err == nil {
			c.recovered(reported, part)
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
			c.gate.Expired(we.Generation, we)
			continue
		case we.Class == wire.Starved:
			c.starved(err)
		}
		wait = morePatience(wait, we)
		v := b.next(we, c.tally.acknowledged(), 2*c.parallel.now())
		if resolved != nil && !isLocal && we.Class != wire.Starved && resolved(we, !v.again) {
			c.recovered(reported, part)
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
			reported = true
			c.retrying.Store(true)
			c.emit(Event{Kind: Retrying, Part: part, Attempt: b.retries, Delay: v.delay, Err: err})
		}
		if sleep(ctx, v.delay) != nil {
			return canceled(ctx, err)
		}
	}
}

// recovered reports that a request succeeded after retries were reported.
func (c *caller) recovered(reported bool, part int) {
	if reported && c.retrying.CompareAndSwap(true, false) {
		c.emit(Event{Kind: Recovered, Part: part})
	}
}

// attempt makes one request with the current credentials, and waits for them without a
// slot, so that files with other credentials can continue. The answer may take wait
// times the StallTimeout.
func (c *caller) attempt(ctx context.Context, fn request, wait int) error {
	for {
		ready, err := c.inSlot(ctx, fn, wait)
		if ready || err != nil {
			return err
		}
		if err := c.gate.Wait(ctx); err != nil {
			return &waitError{err}
		}
	}
}

// inSlot returns false when there are no credentials to make the request with.
func (c *caller) inSlot(ctx context.Context, fn request, wait int) (bool, error) {
	if err := c.slots.Acquire(ctx); err != nil {
		return false, &waitError{err}
	}
	defer c.slots.Release()
	s, ok := c.gate.Current()
	if !ok {
		return false, nil
	}
	if wait > 1 {
		ctx = wire.WithPatience(ctx, wait)
	}
	begun := time.Now()
	err := fn(ctx, s)
	if err == nil {
		c.patience.answered(wait, time.Since(begun), c.opts.Wire.StallTimeout)
		c.gate.Accepted(s.Generation)
	}
	return true, err
}

// policy is that of a request about the outcome of another one. Unless it is the last
// that is made about it, it is not retried: the other request will be.
func (c *caller) policy(last bool) RetryPolicy {
	policy := c.opts.Retry
	if !last {
		policy.Count = 0
	}
	return policy
}

// send runs one attempt that carries a section of a source.
func (c *caller) send(src Source, off, size int64, fn func(wire.Body) error) error {
	if err := src.Check(); err != nil {
		return err
	}
	m := &meter{c: c}
	err := fn(wire.Body{R: src, Off: off, Size: size, Sent: m.add})
	var acked int64
	if err == nil {
		acked = size
		c.acked.Add(size)
	}
	c.tally.finish(m.n, acked)
	return err
}

func (c *caller) emit(e Event) {
	if c.report == nil {
		return
	}
	c.emitting.Lock()
	defer c.emitting.Unlock()
	e.Uploaded, e.InFlight, e.Sent = c.tally.counts()
	e.Err = target.OneLine(e.Err) // it is shown to people as it is
	c.report(e)
}

func (c *caller) warn(err error) {
	c.emit(Event{Kind: Warning, Err: err})
}

// starved warns, once, that the upload waits for a descriptor. The slot that the job may
// have at hand goes to another file: that may end, and close what it has open.
func (c *caller) starved(err error) {
	if c.putDown != nil {
		c.putDown()
	}
	if c.starving.CompareAndSwap(false, true) {
		c.warn(fmt.Errorf("wait until another file or connection is closed: %w", err))
	}
}
