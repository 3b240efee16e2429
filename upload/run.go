package upload

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A run is one attempt to upload a file. It ends by itself or is interrupted.
type run struct {
	c       *Client
	e       *entry
	id      filelist.ID
	number  int // of the file's runs
	session *transfer.Session
	slots   *fileSlots
	steps   transfer.Steps // calls of the source that are under way
	outage  shownOutage
	last    FileInfo // for an observer: what the file was at its end
	leaves  bool     // it may have left something behind; guarded by the client's lock
}

func (r *run) do(ctx context.Context) {
	ctx = r.observeStart(ctx)
	began := time.Now()
	res, err := r.upload(ctx)
	r.slots.putDown()
	took := time.Since(began)
	r.log(r.ended(res, err, took), res, err, took)
	r.observeEnd(ctx)
}

func (r *run) upload(ctx context.Context) (transfer.Result, error) {
	if r.c.asksAuthorizer(r.e) {
		return r.uploadAuthorized(ctx)
	}
	return r.send(ctx)
}

// send uploads the file to its destination, once it has one.
func (r *run) send(ctx context.Context) (transfer.Result, error) {
	job, err := r.job(ctx)
	if err != nil {
		return transfer.Result{}, err
	}
	if r.e.stream == nil {
		if err := r.awaitTurn(ctx, job); err != nil {
			return transfer.Result{}, err
		}
	}
	if res, skipped, err := r.session.SkipExisting(ctx, job); skipped || err != nil {
		return res, err
	}
	if r.e.stream != nil {
		return r.session.Run(ctx, job)
	}
	if job.Source, err = r.c.service.Open(ctx, job, r.open); err != nil {
		return transfer.Result{}, err
	}
	defer job.Source.Close()
	size := job.Source.State().Size
	if err := checkFolderName(job.Target.Object, size); err != nil {
		return transfer.Result{}, err
	}
	if job.Object.ContentType == "" {
		head, err := r.c.service.Begin(ctx, job, sniffed)
		if err != nil {
			return transfer.Result{}, err
		}
		job.Object.ContentType = http.DetectContentType(head)
	}
	r.opened(size)
	return r.session.Run(ctx, job)
}

// open opens the source. If that fails, the slot is free for others: the caller waits
// before it tries again.
func (r *run) open() (transfer.Source, error) {
	src, err := r.e.reopen()
	if err != nil {
		r.slots.putDown()
	}
	return src, err
}

// info is what users see of the file now.
func (r *run) info() (info FileInfo) {
	r.c.view(func(l *filelist.List) {
		f, _ := l.Get(r.id)
		info = r.e.snapshot(&f)
	})
	return info
}

// opened records the size that the source has now. From here on the run may leave
// something behind, or find what an earlier process has left.
func (r *run) opened(size int64) {
	r.c.view(func(l *filelist.List) {
		l.Progress(r.id, r.number, filelist.Progress{Size: size})
		r.leaves = true
	})
}

// job returns what to transfer, once the file has a destination and nothing is left of
// a deleted file with the same key.
func (r *run) job(ctx context.Context) (*transfer.Job, error) {
	if err := r.awaitTarget(ctx); err != nil {
		return nil, err
	}
	if err := r.awaitNamesake(ctx); err != nil {
		return nil, err
	}
	e := r.e
	job := &transfer.Job{
		Name: e.source, Gate: &fileGate{c: r.c, e: e}, Slots: r.slots, Volatile: e.unfingerprinted,
		Emit: r.emitter(ctx), Starved: r.slots.putDown, Waits: r.waits, Steps: &r.steps,
		IfExists: transfer.IfExists(e.ifExists), Listing: e.listing,
	}
	r.c.view(func(*filelist.List) {
		job.Target, job.VideoID, job.Object = e.target(), e.made(), e.objectOptions()
	})
	if e.options != nil && e.options.Callback != nil {
		return job, r.steps.During("Callback.VarsOf", func() error {
			return e.options.Callback.addVarsOf(&job.Object, job.Target.Bucket, job.Target.Object)
		})
	}
	return job, nil
}

// report records an event of the transfer and queues its callback.
func (r *run) report(ev transfer.Event) {
	c := r.c
	switch ev.Kind {
	case transfer.Warning:
		c.opts.Logger.Warn("upload", c.attrs(r.e, "warning", ev.Err)...)
		return
	case transfer.Retrying:
		c.shared.counters.retried(ev.Err)
		c.opts.Logger.Warn("retry", c.attrs(r.e, "part", ev.Part, "attempt", ev.Attempt, "delay", ev.Delay, "error", ev.Err)...)
	}
	var again Retry
	throttled := false
	if ev.Kind == transfer.Retrying { // what is asked of an error is not asked under the lock
		again, throttled = retryOf(&ev), transfer.Throttled(ev.Err)
	}
	c.view(func(l *filelist.List) {
		l.Now = time.Now()
		if !l.Progress(r.id, r.number, progressOf(ev)) {
			return // an event of an earlier run
		}
		f, _ := l.Get(r.id)
		r.enqueueLocked(ev, &f, again)
		if throttled {
			c.slots.Throttled()
		}
	})
}

func progressOf(ev transfer.Event) filelist.Progress {
	p := filelist.Progress{Uploaded: ev.Uploaded, InFlight: ev.InFlight, Sent: ev.Sent, Size: -1}
	p.Earlier = ev.Kind == transfer.Initiated // parts of an earlier run do not count for the speed
	if ev.Kind == transfer.Sized {
		p.Size = ev.Size
	}
	return p
}

// enqueueLocked queues the callback of an event of the transfer.
func (r *run) enqueueLocked(ev transfer.Event, f *filelist.File, again Retry) {
	c, e := r.c, r.e
	switch ev.Kind {
	case transfer.Progress:
		c.enqueueProgressLocked(e, f)
	case transfer.Initiated:
		e.uploadID, e.partSize, r.leaves = ev.UploadID, ev.PartSize, true
		c.enqueueProgressLocked(e, f)
	case transfer.Retrying:
		c.enqueueRetryLocked(e, f, again)
	case transfer.Recovered:
		c.enqueueFileLocked("OnRetryResume", c.opts.Callbacks.OnRetryResume, e, f)
	}
}

// ended reports the end of the run to the list, and returns whether it was interrupted.
func (r *run) ended(res transfer.Result, err error, took time.Duration) (interrupted bool) {
	for {
		end := r.ending(err)
		if r.reported(end, res, took) {
			return end.interrupted
		}
	}
}

// An ending is what the error of a run comes to, given what the run was to end for.
type ending struct {
	why         filelist.Intent
	cause       error
	err         *Error // nil: the object is there
	interrupted bool
	othersClaim bool // what there is at the server and on disk is another's
}

// ending asks the error of the run. Its methods may be a user's, and call the client: that is
// why it is not done under the lock.
func (r *run) ending(err error) (end ending) {
	if err == nil {
		return end
	}
	var info FileInfo
	r.c.view(func(l *filelist.List) {
		f, _ := l.Get(r.id)
		end.why, end.cause, info = f.Why, f.Cause, r.e.snapshot(&f)
	})
	end.interrupted = end.why >= filelist.ToFail || end.why != filelist.NoIntent && isInterruption(err, end.cause)
	end.othersClaim = errors.Is(err, ErrInUse) || errors.Is(err, ErrClaimLost)
	if end.interrupted {
		err = causeFirst(end.cause, err)
	}
	end.err = newError(&info, err)
	return end
}

// reported reports the end of the run to the list. It returns false, and does nothing, if the
// run is to end for another cause by now.
func (r *run) reported(end ending, res transfer.Result, took time.Duration) (done bool) {
	c, e := r.c, r.e
	_ = c.decide(func(l *filelist.List) error {
		f, _ := l.Get(r.id)
		if end.err != nil && (f.Why != end.why || f.Cause != end.cause) {
			return nil
		}
		done = true
		o := filelist.Outcome{Size: res.Size, Interrupted: end.interrupted, Leaves: f.Leftover || r.leaves, Skipped: res.Skipped}
		if res.Skipped && f.Size >= 0 {
			o.Size = f.Size // the object may have another
		}
		if end.err == nil {
			e.result = e.resultOf(res, took)
			c.releaseProvider(e)
		} else {
			o.Err = end.err
			o.Leaves = o.Leaves && (end.interrupted || e.stream == nil && !end.othersClaim)
		}
		e.cancel(nil)
		e.cancel, e.steps = nil, nil
		l.Ended(r.id, r.number, o)
		if c.opts.Observer != nil {
			r.last = r.lastLocked(l, f, o)
		}
		return nil
	})
	return done
}

// isInterruption distinguishes the interruption of a run from a failure that happened at
// the same time. Not every function that a run calls returns the cause.
func isInterruption(err, cause error) bool {
	return errors.Is(err, cause) || errors.Is(err, errPaused) || errors.Is(err, ErrStopped) || errors.Is(err, context.Canceled)
}

// causeFirst is the error of a file that ends for cause. The run may have been
// interrupted before, for a cause that this one overrides.
func causeFirst(cause, err error) error {
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", cause, err)
}

// log logs how a run ended.
func (r *run) log(interrupted bool, res transfer.Result, err error, took time.Duration) {
	c := r.c
	switch {
	case res.Skipped:
		c.opts.Logger.Info("skipped", c.attrs(r.e, "size", res.Size, "verified", res.Verified, "took", took)...)
	case err == nil:
		c.opts.Logger.Info("uploaded", c.attrs(r.e, "size", res.Size, "parts", res.Parts, "resumed", res.ResumedBytes, "verified", res.Verified, "took", took)...)
	case !interrupted && errors.Is(err, ErrInUse): // it is being uploaded, and the next attempt would say so again
		c.opts.Logger.Warn("in use", c.attrs(r.e, inUseAttrs(err)...)...)
	case interrupted:
		c.opts.Logger.Info("interrupted", c.attrs(r.e, "cause", err)...)
	default:
		c.opts.Logger.Error("failed", c.attrs(r.e, "error", err)...)
	}
}

// inUseAttrs are the attributes of a claim that another holder has.
func inUseAttrs(err error) []any {
	attrs := []any{"error", err}
	if used, ok := errors.AsType[*checkpoint.InUseError](err); ok {
		attrs = append(attrs, "holder", target.Line(used.Holder), "until", used.Until)
	}
	return attrs
}
