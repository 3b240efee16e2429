package fleet

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
)

// reconcile has one of the workers compare states and queue, until ctx ends.
func (w *Worker) reconcile(ctx context.Context) {
	var held uint64 // sequence of the lease; 0: another worker has it
	for sleep(ctx, w.opts.ReconcileInterval) == nil {
		if held = w.elect(ctx, held); held == 0 {
			continue
		}
		if rung, err := w.reconcileOnce(ctx); err != nil && ctx.Err() == nil {
			w.opts.Logger.Warn("cannot compare the states of jobs with the queue; trying again", "after", w.opts.ReconcileInterval, "error", err)
		} else if rung > 0 {
			w.opts.Logger.Warn("jobs that the queue had lost are back", "jobs", rung)
		}
	}
	if held != 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = w.states.DeleteMsg(ctx, held)
	}
}

// elect takes or renews the lease of the reconciler, and returns its sequence; 0: another
// worker has it.
func (w *Worker) elect(ctx context.Context, held uint64) uint64 {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	seq, err := w.put(ctx, w.reconcilerSubject(), []byte(w.opts.Name), held, max(3*w.opts.ReconcileInterval, time.Second))
	if errors.Is(err, errConflict) || err != nil {
		return 0
	}
	return seq
}

// A digest stands for a subject, which is longer.
type digest [16]byte

func digestOf(subject string) digest {
	sum := sha256.Sum256([]byte(subject))
	return digest(sum[:16])
}

// reconcileOnce rings again for each job that the queue has lost, and returns how many
// these are. What is in the queue is read first: a job that is enqueued meanwhile has
// just been written, and is left alone for that.
func (w *Worker) reconcileOnce(ctx context.Context) (rung int, err error) {
	queued := make(map[digest]struct{})
	for _, d := range "0123456789abcdef" {
		bells, err := w.bellsOf(ctx, "*", string(d))
		if err != nil {
			return 0, err
		}
		for subject := range bells {
			queued[digestOf(subject)] = struct{}{}
		}
	}
	grace := min(w.opts.ReconcileInterval, time.Minute)
	for info, err := range w.jobs(ctx, scan{subjects: []string{w.jobSubject("*")}}) {
		if err != nil {
			return rung, err
		}
		_, has := queued[digestOf(w.bellSubject(info.Queue, info.Job.upload()))]
		if !decide.Ring(info.decision(), has, info.Updated, grace, time.Now()) {
			continue
		}
		now, ok, err := w.state(ctx, info.Job.ID) // the scan may lag behind the leader
		if err != nil {
			return rung, err
		}
		if !ok || now.Revision != info.Revision {
			continue
		}
		pending, err := w.ring(ctx, now.Queue, &now.Job)
		if err != nil {
			return rung, err
		}
		if pending == "" {
			rung++
		}
	}
	return rung, nil
}
