package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// errPaused is the cause that Pause interrupts a run with.
var errPaused = errors.New("upload: paused")

// slotIdle is called when a slot is free and no started file wants it.
func (c *Client) slotIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pump()
}

// pump starts files while there are slots that no started file wants, and finds
// that nothing is left to do. It is called with the lock held, after everything
// that may change what it looks at.
func (c *Client) pump() {
	for c.active < maxActive {
		q := c.nextQueue()
		if q == nil || !c.slots.tryAcquire() {
			break
		}
		c.start(q.take())
	}
	if (c.state == Started || c.state == Expired) && c.active == 0 && c.waiting.first() == nil && len(c.cleaning) == 0 {
		c.state, _ = c.state.next(doFinish)
		on := c.opts.Callbacks.OnFinished
		if on != nil {
			c.push(&event{name: "OnFinished", call: func(*event) { on(c) }})
		}
		c.notify()
	}
}

// nextQueue returns the queue that the next file is taken from; nil for none.
func (c *Client) nextQueue() *queue {
	switch {
	case c.state == Paused || c.state == Closed:
		return nil
	case c.solos.first() != nil:
		return &c.solos
	case (c.state == Started || c.state == Expired) && c.waiting.first() != nil:
		return &c.waiting
	}
	return nil
}

// start begins a run of a file, which holds one slot.
func (c *Client) start(f *file) {
	_ = f.apply(fileStart)
	ctx, cancel := context.WithCancelCause(c.ctx)
	f.cancel, f.done, f.intent = cancel, make(chan struct{}), goOn
	if !f.begun {
		f.begun = true
		f.info.Started = time.Now()
		on := c.opts.Callbacks.OnStarted
		c.tell("OnStarted", f, on != nil, func(e *event) { on(c, e.info) })
	}
	slots := &fileSlots{slots: c.slots, order: f.id}
	slots.inHand.Store(true)
	c.active++
	c.workers.Add(1)
	go func() {
		defer c.workers.Done()
		began := time.Now()
		res, err := c.run(ctx, f, slots)
		slots.putDown()
		cancel(nil)
		c.log(f, res, err, time.Since(began))
		c.ended(f, res, err, time.Since(began))
	}()
}

// run brings one file to its object.
func (c *Client) run(ctx context.Context, f *file, slots *fileSlots) (transfer.Result, error) {
	job, err := c.job(ctx, f, slots)
	if err != nil {
		return transfer.Result{}, err
	}
	if f.stream != nil {
		return c.service.RunStream(ctx, job, f.stream)
	}
	job.Source, err = f.open()
	if err != nil {
		return transfer.Result{}, fmt.Errorf("open source: %w", err)
	}
	defer job.Source.Close()
	if job.Object.ContentType == "" {
		job.Object.ContentType = sniff(job.Source)
	}
	c.mu.Lock()
	f.info.Size = job.Source.State().Size
	c.mu.Unlock()
	return c.service.Run(ctx, job)
}

// job waits until the file has a destination, and nothing is left of an earlier run.
func (c *Client) job(ctx context.Context, f *file, slots *fileSlots) (*transfer.Job, error) {
	if err := c.awaitTarget(ctx, f, slots); err != nil {
		return nil, err
	}
	c.mu.Lock()
	cleaned := c.cleaning[f.name()]
	job := &transfer.Job{
		Name: f.path, Target: f.target, VideoID: f.info.VideoID, Object: f.spec.object(),
		Gate: fileGate{c, f}, Slots: slots, Volatile: f.volatile(),
	}
	run := f.done
	c.mu.Unlock()
	job.Emit = func(e transfer.Event) { c.happened(f, run, e) }
	if cleaned == nil {
		return job, nil
	}
	slots.putDown()
	select {
	case <-cleaned:
		return job, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *Client) awaitTarget(ctx context.Context, f *file, slots *fileSlots) error {
	t := time.NewTimer(c.opts.TokenWait)
	defer t.Stop()
	for {
		given := f.given.wait()
		c.mu.Lock()
		ok := f.hasTarget
		c.mu.Unlock()
		if ok {
			return nil
		}
		slots.putDown()
		select {
		case <-given:
		case <-t.C:
			return fmt.Errorf("%w: none was given within %v: set it in AddFile, or with SetDestination from OnStarted on", ErrNoDestination, c.opts.TokenWait)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// happened takes what a transfer tells. A word of an earlier run is not listened to.
func (c *Client) happened(f *file, run chan struct{}, e transfer.Event) {
	switch e.Kind {
	case transfer.Warning:
		c.opts.Logger.Warn("upload", c.attrs(f, "warning", e.Err)...)
		return
	case transfer.Retrying:
		c.opts.Logger.Warn("retry", c.attrs(f, "part", e.Part, "attempt", e.Attempt, "delay", e.Delay, "error", e.Err)...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.done != run {
		return
	}
	i := &f.info
	if e.Uploaded > i.Uploaded {
		if e.Kind != transfer.Initiated { // what an earlier run sent is no speed of this one
			c.rate.add(time.Now(), e.Uploaded-i.Uploaded)
		}
		i.Uploaded = e.Uploaded
	}
	i.InFlight, i.Sent = e.InFlight, e.Sent
	if i.Size >= 0 {
		i.InFlight = min(i.InFlight, i.Size-i.Uploaded)
	}
	switch e.Kind {
	case transfer.Sized:
		i.Size = e.Size
	case transfer.Progress:
		c.tellProgress(f)
	case transfer.Initiated:
		i.UploadID, i.PartSize, f.resumed = e.UploadID, e.PartSize, true
		c.tellProgress(f)
	case transfer.Retrying:
		on := c.opts.Callbacks.OnRetry
		if on != nil && c.events.retries < maxRetryEvents {
			c.events.retries++
			r := Retry{Part: e.Part, Attempt: e.Attempt, Delay: e.Delay, Err: e.Err}
			c.tell("OnRetry", f, true, func(ev *event) { on(c, ev.info, r) })
		}
	case transfer.WentOn:
		on := c.opts.Callbacks.OnRetryResume
		c.tell("OnRetryResume", f, on != nil, func(ev *event) { on(c, ev.info) })
	}
}

// interrupt ends a run for the given reason; false if the file does not run. A
// stronger reason replaces a weaker one that the run has not yet ended for.
func (c *Client) interrupt(f *file, why intent, cause error) bool {
	if !f.running() {
		return false
	}
	if why > f.intent {
		f.intent = why
	}
	if why == toClose && f.stream != nil {
		cause = errors.Join(cause, transfer.ErrAbandon) // no later process can go on with it
	}
	f.cancel(cause)
	return true
}

// ended takes what became of a run.
func (c *Client) ended(f *file, res transfer.Result, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active--
	intent := f.intent
	close(f.done)
	f.cancel, f.done, f.intent = nil, nil, goOn
	interrupted := err != nil && isInterruption(err)
	switch {
	case err == nil:
		c.succeeded(f, res, took)
	case intent == toCancel:
		_ = f.apply(fileCancel)
		if f.resumed && !errors.Is(err, transfer.ErrAbandon) {
			c.cleanUp(f) // it was being interrupted for something else already
		} else {
			f.resumed = false
			c.canceled(f)
		}
	case intent == toPause && interrupted:
		_ = f.apply(filePause)
	case intent == toStop && interrupted && !f.solo:
		_ = f.apply(fileStop)
	default:
		c.failed(f, newError(&f.info, err))
	}
	if f.wantsTurn() {
		c.enqueueQuietly(f)
	}
	c.pump()
	c.notify()
}

// enqueueQuietly lets a file wait for its turn without a change of the client's state.
func (c *Client) enqueueQuietly(f *file) {
	if f.solo {
		c.solos.add(f)
	} else {
		c.waiting.add(f)
	}
}

// isInterruption tells the end that Pause or Stop asked for from a failure that
// happened to come at the same time.
func isInterruption(err error) bool {
	return errors.Is(err, errPaused) || errors.Is(err, ErrStopped) || errors.Is(err, ErrClosed)
}

func (c *Client) succeeded(f *file, r transfer.Result, took time.Duration) {
	f.resumed = false
	_ = f.apply(fileSucceed)
	f.info.Size, f.info.Uploaded = r.Size, r.Size
	f.info.Result = &Result{
		Endpoint: f.info.Endpoint, Bucket: f.info.Bucket, Object: f.info.Object,
		Location: r.Location, ETag: r.ETag, VersionID: r.VersionID, CRC64: r.CRC64, Verified: r.Verified,
		Size: r.Size, Parts: r.Parts, ResumedParts: r.ResumedParts, ResumedBytes: r.ResumedBytes,
		SentBytes: r.SentBytes, Duration: took, CallbackBody: r.CallbackBody, VideoID: f.info.VideoID,
	}
	c.over(f)
	on := c.opts.Callbacks.OnSucceeded
	c.tell("OnSucceeded", f, on != nil, func(e *event) { on(c, e.info, *e.info.Result) })
}

// over takes note that a file has ended, and closes the Reader that it had.
func (c *Client) over(f *file) {
	f.begun = false
	r, ok := f.spec.Reader.(io.Closer)
	if !ok || f.closed {
		return
	}
	f.closed = true
	c.workers.Add(1)
	go func() {
		defer c.workers.Done()
		_ = r.Close()
	}()
}

func (c *Client) failed(f *file, err *Error) {
	_ = f.apply(fileFail)
	f.info.Err = err
	on := c.opts.Callbacks.OnFailed
	wanted := on != nil && f.begun
	c.over(f)
	c.tell("OnFailed", f, wanted, func(e *event) { on(c, e.info, e.info.Err) })
}

func (c *Client) canceled(f *file) {
	c.over(f)
	on := c.opts.Callbacks.OnCanceled
	c.tell("OnCanceled", f, on != nil, func(e *event) { on(c, e.info) })
}

// cleanUp takes away what a file that does not run has left at the server and on
// disk. The channel is closed when that is done, or given up.
func (c *Client) cleanUp(f *file) <-chan struct{} {
	done := make(chan struct{})
	key, tell := f.name(), f.info.State == FileCanceled
	f.done, f.resumed = done, false
	c.cleaning[key] = done
	job := &transfer.Job{
		Name: f.path, Target: f.target, Gate: fileGate{c, f}, Slots: &fileSlots{slots: c.slots, order: f.id},
		Volatile: f.volatile(),
	}
	c.workers.Add(1)
	go func() {
		defer c.workers.Done()
		ctx, cancel := context.WithTimeout(c.ctx, c.opts.CleanupTimeout)
		err := c.abandon(ctx, f, job)
		cancel()
		if err != nil {
			c.opts.Logger.Warn("an unfinished upload stays at the server", c.attrs(f, "error", err)...)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.cleaning, key)
		f.done = nil
		close(done)
		if tell {
			c.canceled(f)
		}
		if f.wantsTurn() {
			c.enqueueQuietly(f)
		}
		c.pump()
		c.notify()
	}()
	return done
}

func (c *Client) abandon(ctx context.Context, f *file, job *transfer.Job) error {
	if f.stream != nil {
		return c.service.AbandonStream(ctx, job, f.stream)
	}
	return c.service.Abandon(ctx, job)
}

// waitShort waits for all of the channels, but not longer than a second.
func waitShort(done ...<-chan struct{}) {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	for _, d := range done {
		if d == nil {
			continue
		}
		select {
		case <-d:
		case <-t.C:
			return
		}
	}
}

// log tells how a run ended.
func (c *Client) log(f *file, res transfer.Result, err error, took time.Duration) {
	switch {
	case err == nil:
		c.opts.Logger.Info("uploaded", c.attrs(f, "size", res.Size, "parts", res.Parts, "resumed", res.ResumedBytes, "verified", res.Verified, "took", took)...)
	case isInterruption(err) || errors.Is(err, transfer.ErrAbandon):
		c.opts.Logger.Info("interrupted", c.attrs(f, "cause", err)...)
	default:
		c.opts.Logger.Error("failed", c.attrs(f, "error", err)...)
	}
}
