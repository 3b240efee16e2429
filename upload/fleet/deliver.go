package fleet

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
)

// retryDelay is when a message comes again whose job could not be looked at.
const retryDelay = 5 * time.Second

// handle does what a delivered message asks for. ctx is the one of Run: its end
// interrupts the job.
func (w *Worker) handle(ctx context.Context, msg jetstream.Msg) {
	if ctx.Err() != nil {
		_ = msg.Nak()
		return
	}
	id := string(msg.Data())
	write, cancel := w.writing(ctx)
	defer cancel()
	info, ok, err := w.state(write, id)
	if err != nil {
		w.opts.Logger.Warn("cannot read the state of a job; it is put off", "job", id, "error", err)
		_ = msg.NakWithDelay(retryDelay)
		return
	}
	job := decide.Job{}
	if ok {
		job = info.decision()
	}
	switch action, delay := decide.OnDelivery(job, w.limits(), w.now()); action {
	case decide.Run:
		info, err := w.countDelivery(write, info, msg)
		if err != nil {
			_ = msg.NakWithDelay(100 * time.Millisecond) // another worker has written the state, or the engine is away
			return
		}
		w.newRun(info, msg).do(ctx)
	case decide.Later:
		_ = msg.NakWithDelay(delay)
	case decide.Bury:
		w.bury(write, info, msg)
	default:
		if info.State == StateDead { // the worker that wrote that may have got no further
			_ = w.copyToDead(write, info)
		}
		if err := w.tidy(write, info); err != nil {
			w.opts.Logger.Debug("the record of a job that has succeeded is left; trying again", "job", id, "error", err)
			_ = msg.NakWithDelay(retryDelay)
			return
		}
		_ = msg.DoubleAck(write)
	}
}

// countDelivery counts the delivery of a job that nobody has begun, if it is not the first:
// what opens its source may kill each worker before that has a claim. How such an attempt
// ends in another way takes it back.
func (w *Worker) countDelivery(ctx context.Context, info JobInfo, msg jetstream.Msg) (JobInfo, error) {
	meta, err := msg.Metadata()
	if err != nil || meta.NumDelivered < 2 || info.State != StateQueued {
		return info, nil
	}
	info.attempts.Unclaimed++
	return w.write(ctx, info, 0)
}

// tidy removes the record of a job that has succeeded: the worker that wrote that may have
// been killed before it did.
func (w *Worker) tidy(ctx context.Context, info JobInfo) error {
	key := info.attempts.Key
	if info.State != StateSucceeded || key == (checkpoint.Key{}) {
		return nil
	}
	claim, err := w.claims.Store.Open(ctx, key)
	if err != nil {
		return err
	}
	return claim.Remove()
}

// writing returns a context for what is written about a job: it outlasts ctx by
// drainTimeout, and is bounded by a minute, after which the message comes again.
func (w *Worker) writing(ctx context.Context) (context.Context, context.CancelFunc) {
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(drainTimeout, cancel)
		context.AfterFunc(write, func() { t.Stop() })
	})
	return write, func() { stop(); cancel() }
}

// bury makes a job dead whose attempts all ended with their worker.
func (w *Worker) bury(ctx context.Context, info JobInfo, msg jetstream.Msg) {
	switch {
	case info.attempts.Unclaimed >= w.opts.MaxAttempts:
		info.Error = "each attempt ended with its worker, before it had claimed the upload: it was killed, or opening the source kills it"
	case info.Error == "":
		info.Error = "each attempt ended with its worker: it was killed, or lost its connection to the engine"
	}
	info.State, info.Ended = StateDead, w.now().UTC()
	info, err := w.write(ctx, info, 0)
	if err != nil {
		w.opts.Logger.Warn("cannot write the end of a job; it is put off", "job", info.Job.ID, "error", err)
		_ = msg.NakWithDelay(retryDelay)
		return
	}
	w.dismiss(ctx, info, msg)
}

// dismiss copies a dead job to the stream of the dead and takes its message from the queue.
func (w *Worker) dismiss(ctx context.Context, info JobInfo, msg jetstream.Msg) {
	w.opts.Logger.Error("job is dead; Requeue brings it back", "job", info.Job.ID, "attempts", info.Attempts, "error", info.Error)
	if err := w.copyToDead(ctx, info); err != nil {
		w.opts.Logger.Warn("cannot list a dead job; trying again", "job", info.Job.ID, "error", err)
		_ = msg.NakWithDelay(retryDelay)
		return
	}
	_ = msg.TermWithReason(info.Error)
}

// copyToDead lists a job among the dead; again does no harm.
func (w *Worker) copyToDead(ctx context.Context, info JobInfo) error {
	data, err := info.encode()
	if err == nil {
		_, err = w.publish(ctx, w.deadSubject(info.Job.ID), data)
	}
	return err
}
