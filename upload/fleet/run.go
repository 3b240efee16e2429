package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
)

// A run is one attempt at a job.
type run struct {
	w   *Worker
	msg jetstream.Msg
	id  string   // of the attempt
	key claimKey // by which the store finds it

	progress progress

	writing    sync.Mutex // orders what is written of the state; held while the engine is asked
	info       JobInfo    // as it was read or written last
	before     JobInfo    // the attempt, to take it back
	begun      bool
	trace      func() map[string]string // of WorkerOptions.Began, which it calls once; nil: not yet
	checkpoint checkpoint.Key           // zero: nothing was claimed
	over       bool                     // nothing begins any more

	mu     sync.Mutex
	reason error            // why the upload must not begin or continue; nil: it may
	kept   checkpoint.Claim // of a record that goes when the result is written
}

// progress is what the client has reported last.
type progress struct {
	mu   sync.Mutex
	file upload.FileInfo
}

func (p *progress) set(f upload.FileInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.file = f
}

func (p *progress) get() upload.FileInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.file
}

// Why an attempt stops that has not failed.
var (
	errTaken    = errors.New("another worker has the job")
	errNothing  = errors.New("the job has ended, or is not due")
	errSameFile = errors.New("this worker is at this upload already")
)

func (w *Worker) newRun(info JobInfo, msg jetstream.Msg) *run {
	return &run{w: w, msg: msg, id: rand.Text(), info: info}
}

// do uploads the file of the job, and writes how that ended.
func (r *run) do(ctx context.Context) {
	uploading, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beating sync.WaitGroup
	beating.Go(func() { r.beat(uploading, cancel) })
	result, err := r.upload(uploading)
	cancel(nil)
	beating.Wait()
	write, stop := r.w.writing(ctx)
	defer stop()
	r.end(write, result, err, ctx.Err() != nil)
}

func (r *run) upload(ctx context.Context) (upload.Result, error) {
	job := r.info.Job
	file, err := r.w.open(ctx, job)
	if closer, ok := file.Source.(io.Closer); ok {
		defer closer.Close()
	}
	if err != nil {
		return upload.Result{}, err
	}
	if file.Path == "" {
		file.Path = shown(job.Source)
	}
	file.SourceName = job.sourceName()
	file.Endpoint, file.Bucket, file.Object = job.Endpoint, job.Bucket, job.Object
	file.Options, file.Info, file.IfExists = job.Options, job.Info, job.IfExists
	if err := r.w.prepare(ctx, job, &file); err != nil {
		return upload.Result{}, fmt.Errorf("fleet: WorkerOptions.Prepare: %w", err)
	}
	if file.Source == nil && file.Reader == nil && file.Path == shown(job.Source) { // which is no path
		return upload.Result{}, fmt.Errorf("%w: the Opener of %s has returned a File without Path, Source and Reader", ErrInvalidArgument, shown(job.Source))
	}
	r.key = claimKey{file.SourceName, file.Bucket, file.Object} // as Prepare has left them
	report := file.OnProgress
	file.OnProgress = func(f upload.FileInfo) {
		r.progress.set(f)
		if report != nil {
			report(f)
		}
	}
	if !r.w.claims.add(r) {
		return upload.Result{}, errSameFile
	}
	defer r.w.claims.remove(r)
	result, err := r.w.client.Upload(ctx, file)
	if err == nil && job.CRC64 != nil && result.CRC64 != *job.CRC64 {
		err = fmt.Errorf("%w: the object is stored with CRC64 %d, the job expects %d: delete it, or correct the job", ErrDigest, result.CRC64, *job.CRC64)
	}
	return result, err
}

// begin writes that the job is running here, once its upload is claimed. It may have
// changed before the claim was free: then it is read again.
func (r *run) begin(ctx context.Context, key checkpoint.Key) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if r.over {
		return errNothing
	}
	r.checkpoint = key
	return r.beginLocked(ctx)
}

func (r *run) beginLocked(ctx context.Context) error {
	known, ok := r.info, true // as the delivery found it: what it has become since is a conflict
	for !r.begun {
		job := decide.Job{}
		if ok {
			job = known.decision()
			job.Running, job.Unclaimed = false, 0 // nobody else has it: it is claimed, and this delivery is counted
		}
		if action, _ := decide.OnDelivery(job, r.w.limits(), r.w.now()); action != decide.Run {
			r.stop(errNothing)
			return errNothing
		}
		var info JobInfo
		starting := r.started(known)
		if trace := r.traced(ctx, known); trace != nil {
			starting.Trace = trace
		}
		err := r.w.patiently(ctx, func() (err error) { info, err = r.w.write(ctx, starting, 0); return err })
		switch {
		case err == nil:
			r.before, r.info, r.begun = known, info, true
		case !errors.Is(err, errConflict):
			return err
		default:
			before := known
			err = r.w.patiently(ctx, func() (err error) { known, ok, err = r.w.state(ctx, before.Job.ID); return err })
			if err != nil {
				return err
			}
			if ok && known.State == StateRunning && known.attempts.Run == r.id { // only the answer was lost
				r.before, r.info, r.begun = before, known, true
			}
		}
	}
	return nil
}

// maxTrace is how long the names and values of WorkerOptions.Began may be, in bytes.
const maxTrace = 4 << 10

// traced returns what WorkerOptions.Began has returned for the attempt; nil: nothing, or
// more than a state has room for.
func (r *run) traced(ctx context.Context, found JobInfo) map[string]string {
	if r.w.opts.Began == nil {
		return nil
	}
	if r.trace == nil {
		r.trace = sync.OnceValue(func() map[string]string { return r.w.opts.Began(ctx, found) })
	}
	size := 0
	for name, value := range r.trace() {
		size += len(name) + len(value)
	}
	if size > maxTrace {
		r.w.opts.Logger.Warn("WorkerOptions.Began has returned too much; it is not kept", "job", found.Job.ID, "bytes", size, "max", maxTrace)
		return nil
	}
	return r.trace()
}

// patiently repeats a call while the engine is away, for as long as an election may take
// and the claim is likely to hold.
func (w *Worker) patiently(ctx context.Context, call func() error) error {
	ctx, cancel := context.WithTimeout(ctx, w.opts.Lease*2/3)
	defer cancel()
	for {
		err := call()
		if !errors.Is(err, ErrNoEngine) || sleep(ctx, 100*time.Millisecond) != nil {
			return err
		}
	}
}

// started returns the state of a job whose attempt begins here.
func (r *run) started(info JobInfo) JobInfo {
	if info.State == StateRunning {
		info.Takeovers++
	}
	info.Attempts++
	info.attempts.Fruitless = decide.Attempt(info.attempts.Fruitless, info.attempts.Mark, info.Uploaded)
	info.attempts.Mark, info.attempts.Run, info.attempts.Key = info.Uploaded, r.id, r.checkpoint
	info.attempts.MissingSince, info.attempts.Unclaimed = time.Time{}, 0
	info.State, info.Worker, info.Started = StateRunning, r.w.opts.Name, r.w.now().UTC()
	info.NotBefore = time.Time{}
	return info
}

// stop notes why the upload must not begin or continue.
func (r *run) stop(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reason = reason
}

// stopped returns why the upload must not begin or continue; nil: it may.
func (r *run) stopped() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reason
}

// keep holds a claim whose record is of no use any more, until the result is written.
func (r *run) keep(c checkpoint.Claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = c
}

// takeKept returns the claim that was kept, for the caller to end; nil: there is none.
func (r *run) takeKept() checkpoint.Claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.kept
	r.kept = nil
	return c
}

// removeKept removes the record that was kept, if there is one.
func (r *run) removeKept() error {
	if c := r.takeKept(); c != nil {
		return c.Remove()
	}
	return nil
}

// touchAfter is how often the state of a running job is written when nothing moves: so
// the reconciler sees that somebody has it.
const touchAfter = 30 * time.Second

// beat keeps the message with this worker, and writes the progress once a second at most.
func (r *run) beat(ctx context.Context, cancel context.CancelCauseFunc) {
	renew := time.NewTicker(r.w.opts.AckWait / 3)
	defer renew.Stop()
	write := time.NewTicker(time.Second)
	defer write.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew.C:
			_ = r.msg.InProgress()
		case <-write.C:
			if err := r.writeProgress(ctx); errors.Is(err, errConflict) {
				r.stop(errTaken)
				cancel(errTaken)
				return
			}
		}
	}
}

// writeProgress writes what the client has reported, if there is anything new. While the
// engine is away it gives up soon, and the next call writes what is new by then.
func (r *run) writeProgress(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r.writing.Lock()
	defer r.writing.Unlock()
	if !r.begun {
		return nil
	}
	info := r.withProgress(r.info)
	if info.Uploaded == r.info.Uploaded && info.UploadID == r.info.UploadID && r.w.now().Sub(r.info.Updated) < touchAfter {
		return nil
	}
	info, err := r.replace(ctx, info, 0)
	if err == nil {
		r.info = info
	}
	return err
}

// withProgress returns info with what the client has reported.
func (r *run) withProgress(info JobInfo) JobInfo {
	if f := r.progress.get(); f.ID != 0 {
		info.Size, info.Uploaded, info.UploadID = f.Size, f.Uploaded, f.UploadID
	}
	return info
}

// replace writes a state in place of the one that this attempt wrote last. An answer to
// that one may have got lost: a state of this attempt is never a conflict.
func (r *run) replace(ctx context.Context, info JobInfo, ttl time.Duration) (JobInfo, error) {
	for {
		written, err := r.w.write(ctx, info, ttl)
		if !errors.Is(err, errConflict) {
			return written, err
		}
		now, ok, rerr := r.w.state(ctx, info.Job.ID)
		switch {
		case rerr != nil:
			return info, rerr
		case !ok || now.State != StateRunning || now.attempts.Run != r.id:
			return info, err
		}
		info.Revision = now.Revision
	}
}
