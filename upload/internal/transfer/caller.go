package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/outage"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A caller makes requests: with a slot and the current credentials for each attempt, and
// again as the budget allows. A run of a file, a clean-up and a sweep each have one.
type caller struct {
	*Service
	gate    Gate
	slots   Slots
	report  func(Event)                                 // may be nil
	putDown func()                                      // see [Job].Starved; may be nil
	waits   func(WaitFor, int, error) func(error) error // see [Job]; may be nil
	line    *line
	bucket  string

	tally    tally
	emitting sync.Mutex  // so that events come in order
	retrying atomic.Bool // a Retrying went out, and no Recovered yet
	starving atomic.Bool // the wait for a descriptor was reported
}

// callerTo returns what makes requests about a destination. report may be nil.
func (s *Service) callerTo(t target.Target, gate Gate, slots Slots, report func(Event)) *caller {
	return &caller{Service: s, gate: gate, slots: slots, report: report, line: s.lineTo(t.Endpoint.String()), bucket: t.Bucket}
}

func (s *Service) callerFor(job *Job) *caller {
	c := s.callerTo(job.Target, job.Gate, job.Slots, job.Emit)
	c.putDown, c.waits = job.Starved, job.Waits
	return c
}

// A request makes one call to the server.
type request func(context.Context, Snapshot) error

// call makes one request until it succeeds or its error is final. part is 0 for
// requests that are not about one.
func (c *caller) call(ctx context.Context, part int, fn request) error {
	return c.retry(ctx, c.opts.Retry, part, fn, nil)
}

// fetch is call for a request whose answer is a value.
func fetch[T any](ctx context.Context, c *caller, fn func(context.Context, Snapshot) (T, error)) (value T, err error) {
	err = c.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		value, err = fn(ctx, s)
		return err
	})
	return value, err
}

// once makes a request that is not made again if it fails.
func (c *caller) once(ctx context.Context, fn request) error {
	return c.retry(ctx, RetryPolicy{}, 0, fn, nil)
}

// local does something with the source that needs no request, until it succeeds or
// its error is final.
func (c *caller) local(ctx context.Context, part int, fn func() error) error {
	return c.again(ctx, c.opts.Retry, part, func(*turn) error { return fn() }, nil)
}

// retry makes a request until it succeeds or its error is final. Where a request may
// have done its work although it failed, resolved is called after each failure, without
// a slot: true means success. last says that the request will not be made again.
func (c *caller) retry(ctx context.Context, policy RetryPolicy, part int, fn request, resolved func(we *wire.Error, last bool) bool) error {
	return c.again(ctx, policy, part, func(t *turn) error { return c.attempt(ctx, fn, t) }, resolved)
}

// A turn is one attempt of a request.
type turn struct {
	wait    int               // how many times StallTimeout the answer may take
	once    bool              // the request is not made again
	early   bool              // in an outage, the next attempt does not wait until a probe is due
	waited  bool              // for the end of an outage, before the last attempt
	end     func(error) error // of a wait for it that is shown; nil: none is
	request outage.Request    // of all its attempts

	attempts int // counted for an observer only

	verdict outage.Verdict // of the endpoint, on the last attempt
	delay   time.Duration  // to the next probe, if it is away

	asked time.Time // until when the server has asked this request to wait; zero: it has not
	why   error     // what it said
}

// away reports whether the last attempt was lost because the endpoint is away.
func (t *turn) away() bool { return t.verdict == outage.Wait || t.verdict == outage.Gone }

// endWait ends the wait of a turn, if it waits, and returns err as the user is to see it.
func (t *turn) endWait(err error) error {
	if t.end != nil {
		err = t.end(err)
		t.end = nil
	}
	return err
}

// again is the only place where something is tried again.
func (c *caller) again(ctx context.Context, policy RetryPolicy, part int, try func(*turn) error, resolved func(we *wire.Error, last bool) bool) error {
	b := newBudget(policy, c.tally.acknowledged())
	reported := false
	once := policy == RetryPolicy{}
	t := turn{wait: c.patience.now(), once: once, early: once || policy.early}
	defer func() { _ = t.endWait(nil) }()
	for {
		t.verdict = outage.Blame
		err := try(&t)
		if !t.away() {
			_ = t.endWait(nil)
		}
		if err == nil {
			c.recovered(reported, part)
			return nil
		}
		we, ok := answer(err)
		local, isLocal := errors.AsType[*sourceError](err)
		if isLocal { // what was sent without the rest is no request that may have done its work
			we = &wire.Error{Class: wire.Retry, Delay: asked(local.err)}
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
		t.wait = morePatience(t.wait, we)
		if t.waited { // what was lost before the outage does not count
			b.forgive()
			t.waited = false
		}
		v := b.next(we, c.tally.acknowledged(), 2*c.parallel.now())
		away := !t.once && t.away()
		if away {
			v = verdict{again: true}
		}
		if resolved != nil && !isLocal && we.Class != wire.Starved && resolved(we, !v.again) {
			c.recovered(reported, part)
			return nil
		}
		switch {
		case ctx.Err() != nil:
			return canceled(ctx, err)
		case away:
			b.forgive()
			t.asked, t.why = time.Now().Add(min(we.Delay, maxAsked)), err
			if t.verdict == outage.Gone {
				reported = true
				c.retrying.Store(true)
				c.emit(Event{Kind: Retrying, Part: part, Attempt: 1, Delay: t.delay, Err: err})
			}
			continue
		case !v.again && b.retries == 1:
			return fmt.Errorf("%w (gave up after one retry)", err)
		case !v.again && b.retries > 1:
			return fmt.Errorf("%w (gave up after %d retries)", err, b.retries)
		case !v.again:
			return err
		case v.counted:
			reported = true
			c.retrying.Store(true)
			c.emit(Event{Kind: Retrying, Part: part, Attempt: b.retries, Delay: v.delay, Err: err})
		}
		if c.pause(ctx, v.delay, we, err) != nil {
			return canceled(ctx, err)
		}
	}
}

// pause waits before a request is made again.
func (c *caller) pause(ctx context.Context, d time.Duration, we *wire.Error, err error) error {
	if we.Class != wire.Throttle {
		return tasks.Sleep(ctx, d)
	}
	end := c.waiting(ForThrottle, 0, err)
	return end(tasks.Sleep(ctx, d))
}

// waiting reports that a request waits, until what it returns is called.
func (c *caller) waiting(f WaitFor, outage int, err error) (end func(error) error) {
	if c.waits == nil {
		return func(err error) error { return err }
	}
	return c.waits(f, outage, target.OneLine(err))
}

// awaitLine waits while the endpoint is away. Meanwhile the job has no slot. If it is a
// turn to probe that ends the wait, the wait is shown until the outcome is known.
func (c *caller) awaitLine(ctx context.Context, t *turn) error {
	if c.line.open() {
		return nil
	}
	t.waited = true
	if c.putDown != nil {
		c.putDown()
	}
	if t.end == nil {
		n, lost := c.line.lost()
		f := ForNetwork
		if Throttled(lost) {
			f = ForThrottle
		}
		t.end = c.waiting(f, n, lost)
	}
	if err := c.line.wait(ctx); err != nil {
		return &waitError{t.endWait(err)}
	}
	if c.line.back() {
		_ = t.endWait(nil)
	}
	return nil
}

// awaitAsked waits for as long as the server has asked this request to, where the endpoint
// is back before that: others got through.
func (c *caller) awaitAsked(ctx context.Context, t *turn) error {
	d := time.Until(t.asked)
	if d <= 0 || !c.line.back() {
		return nil
	}
	_ = t.endWait(nil)
	if err := c.waiting(ForThrottle, 0, t.why)(tasks.Sleep(ctx, d)); err != nil {
		return &waitError{err}
	}
	return nil
}

// recovered reports that a request succeeded after retries were reported.
func (c *caller) recovered(reported bool, part int) {
	if reported && c.retrying.CompareAndSwap(true, false) {
		c.emit(Event{Kind: Recovered, Part: part})
	}
}

// attempt makes one request with the current credentials. It waits for them, and for the
// end of an outage, without a slot, so that other files can continue.
func (c *caller) attempt(ctx context.Context, fn request, t *turn) error {
	for {
		if !t.early {
			if err := c.awaitLine(ctx, t); err != nil {
				return err
			}
			if err := c.awaitAsked(ctx, t); err != nil {
				return err
			}
		}
		missing, err := c.inSlot(ctx, fn, t)
		switch {
		case missing == noCredentials:
			if err := c.awaitCredentials(ctx); err != nil {
				return &waitError{err}
			}
		case missing == noEndpoint && t.once:
			_, err := c.line.lost()
			return err
		case missing == nothing:
			return err
		}
	}
}

// awaitCredentials waits for credentials: of a clean-up, no longer than it may take.
func (c *caller) awaitCredentials(ctx context.Context) error {
	if IsCleanup(ctx) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.CleanupTimeout)
		defer cancel()
	}
	return c.gate.Wait(ctx)
}

// A lack is what a request was not made for.
type lack uint8

const (
	nothing lack = iota // it was made
	noCredentials
	noEndpoint
)

// inSlot makes one request with a slot, if there are credentials for it and the endpoint
// is not away.
func (c *caller) inSlot(ctx context.Context, fn request, t *turn) (lack, error) {
	if err := c.slots.Acquire(ctx); err != nil {
		return nothing, &waitError{err}
	}
	defer c.slots.Release()
	s, ok := c.gate.Current()
	if !ok {
		return noCredentials, nil
	}
	pass, ok := c.line.enter(t.early)
	t.early = t.once
	if !ok {
		return noEndpoint, nil
	}
	if t.wait > 1 {
		ctx = wire.WithPatience(ctx, t.wait)
	}
	if c.opts.Wire.Observer != nil {
		t.attempts++
		ctx = wire.WithAttempt(ctx, t.attempts)
	}
	begun := time.Now()
	err := fn(ctx, s)
	t.verdict, t.delay = c.line.leave(pass, &t.request, reportOf(c.bucket, err))
	if err == nil {
		c.patience.answered(t.wait, time.Since(begun), c.opts.Wire.StallTimeout)
		c.gate.Accepted(s.Generation)
	}
	return nothing, err
}

// policy is that of a request about the outcome of another one. Unless it is the last
// that is made about it, it is not retried: the other request will be.
func (c *caller) policy(last bool) RetryPolicy {
	if !last {
		return RetryPolicy{}
	}
	return c.opts.Retry
}

// send runs one attempt that carries a section of a source; see [sectioned] for section.
func (c *caller) send(src Source, section *sectionReader, off, size int64, fn func(wire.Body) error) error {
	if err := src.Check(); err != nil {
		return err
	}
	m := &meter{c: c}
	err := fn(wire.Body{R: src, Off: off, Size: size, Sent: m.add, Interrupt: section.interrupter()})
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
