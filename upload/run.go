package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// errPaused is the cause that Pause interrupts a run with.
var errPaused = errors.New("upload: paused")

// A run is one attempt to bring a file to its object, until it ends or is interrupted.
type run struct {
	c     *Client
	f     *file
	turn  int // of the file
	slots *fileSlots
}

func (r *run) do(ctx context.Context) {
	began := time.Now()
	res, err := r.upload(ctx)
	r.slots.putDown()
	took := time.Since(began)
	r.log(r.c.runEnded(r.f, res, err, took), res, err, took)
}

func (r *run) upload(ctx context.Context) (transfer.Result, error) {
	if r.c.asksAuthorizer(r.f) {
		return r.uploadAuthorized(ctx)
	}
	return r.send(ctx)
}

// send brings the file to its destination, once it has one.
func (r *run) send(ctx context.Context) (transfer.Result, error) {
	job, err := r.job(ctx)
	if err != nil {
		return transfer.Result{}, err
	}
	if r.f.stream != nil {
		return r.c.service.RunStream(ctx, job, r.f.stream)
	}
	if job.Source, err = r.f.reopen(); err != nil {
		return transfer.Result{}, err
	}
	defer job.Source.Close()
	if job.Object.ContentType == "" {
		job.Object.ContentType = sniff(job.Source)
	}
	r.opened(job.Source.State().Size)
	return r.c.service.Run(ctx, job)
}

// opened takes note of the size that the source has now. From here on the run may
// leave something, or meet what an earlier process has left.
func (r *run) opened(size int64) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	i := &r.f.info
	i.Size, i.Uploaded = size, min(i.Uploaded, size)
	r.f.leftover = true
	r.c.account(r.f)
}

// job waits until the file has a destination, and nothing is left of a file of the
// same name that was deleted.
func (r *run) job(ctx context.Context) (*transfer.Job, error) {
	if err := r.awaitTarget(ctx); err != nil {
		return nil, err
	}
	if err := r.awaitLeaving(ctx); err != nil {
		return nil, err
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	f := r.f
	return &transfer.Job{
		Name: f.source, Target: f.target(), VideoID: f.mediaID(), Object: f.object(),
		Gate: &fileGate{c: r.c, f: f}, Slots: r.slots, Volatile: f.volatile(), Emit: r.happened,
		Unanswered: &f.unanswered,
	}, nil
}

func (r *run) awaitTarget(ctx context.Context) error {
	if r.hasTarget() {
		return nil
	}
	t := time.NewTimer(r.c.opts.TokenWait)
	defer t.Stop()
	for {
		given := r.f.given.C()
		if r.hasTarget() {
			return nil
		}
		r.slots.putDown()
		select {
		case <-given:
		case <-t.C:
			return fmt.Errorf("%w: none was given within %v: set it in AddFile, or with SetDestination from OnStarted on", ErrNoDestination, r.c.opts.TokenWait)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (r *run) hasTarget() bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.f.site != nil
}

func (r *run) awaitLeaving(ctx context.Context) error {
	c := r.c
	gone := func() bool { return c.leaving[r.f.name()] == 0 }
	c.mu.Lock()
	ok := gone()
	c.mu.Unlock()
	if ok {
		return nil
	}
	r.slots.putDown()
	return c.await(ctx, &c.changed, gone)
}

// happened takes what the transfer tells.
func (r *run) happened(e transfer.Event) {
	c, f := r.c, r.f
	switch e.Kind {
	case transfer.Warning:
		c.opts.Logger.Warn("upload", c.attrs(f, "warning", e.Err)...)
		return
	case transfer.Retrying:
		c.opts.Logger.Warn("retry", c.attrs(f, "part", e.Part, "attempt", e.Attempt, "delay", e.Delay, "error", e.Err)...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.running() || f.turn != r.turn {
		return // a late word of a run that has ended
	}
	r.count(e)
	switch e.Kind {
	case transfer.Progress:
		c.tellProgress(f)
	case transfer.Initiated:
		f.info.UploadID, f.info.PartSize, f.leftover = e.UploadID, e.PartSize, true
		c.tellProgress(f)
	case transfer.Retrying:
		if transfer.Throttled(e.Err) {
			c.slots.throttled()
		}
		c.tellRetry(f, Retry{Part: e.Part, Attempt: e.Attempt, Delay: e.Delay, Err: e.Err})
	case transfer.WentOn:
		on := c.opts.Callbacks.OnRetryResume
		c.tell("OnRetryResume", f, on != nil, func(ev *event) { on(c, ev.info) })
	}
}

// count takes the event's figures. What was uploaded never goes back, also where the
// upload begins anew at the server.
func (r *run) count(e transfer.Event) {
	i := &r.f.info
	if e.Kind == transfer.Sized {
		i.Size = e.Size
	}
	if e.Uploaded > i.Uploaded {
		if e.Kind != transfer.Initiated { // what an earlier run sent is no speed of this one
			r.c.rate.add(time.Now(), e.Uploaded-i.Uploaded)
			r.c.slots.acked(e.Uploaded - i.Uploaded)
		}
		i.Uploaded = e.Uploaded
	}
	i.InFlight, i.Sent = e.InFlight, e.Sent
	if i.Size >= 0 {
		i.Uploaded = min(i.Uploaded, i.Size)
		i.InFlight = min(i.InFlight, i.Size-i.Uploaded)
	}
	r.c.account(r.f)
}

// log tells how a run ended.
func (r *run) log(interrupted bool, res transfer.Result, err error, took time.Duration) {
	c := r.c
	switch {
	case err == nil:
		c.opts.Logger.Info("uploaded", c.attrs(r.f, "size", res.Size, "parts", res.Parts, "resumed", res.ResumedBytes, "verified", res.Verified, "took", took)...)
	case interrupted:
		c.opts.Logger.Info("interrupted", c.attrs(r.f, "cause", err)...)
	default:
		c.opts.Logger.Error("failed", c.attrs(r.f, "error", err)...)
	}
}
