package fleet

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

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
			w.opts.Logger.Warn("jobs that the queue had lost, or did not deliver, are back", "jobs", rung)
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

// stuckAfter is when the message of a job is rung again that was delivered, if nothing has
// happened to the job since. A worker writes the state of its jobs twenty times as often.
const stuckAfter = 10 * time.Minute

// looks bounds the messages that one comparison looks at because their jobs are overdue: in
// a long queue all are that wait for their turn. It begins with the oldest states.
const looks = 1000

// A digest stands for a subject, which is longer.
type digest [16]byte

func digestOf(subject string) digest {
	sum := sha256.Sum256([]byte(subject))
	return digest(sum[:16])
}

// reconcileOnce rings again for each job that the queue has lost, or has delivered to
// nobody who does anything about it, and returns how many these are. What is in the queue
// is read first: a job that is enqueued meanwhile has just been written, and is left alone
// for that.
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
	delivered, err := w.delivered(ctx)
	if err != nil {
		return 0, err
	}
	looked := 0
	for info, err := range w.jobs(ctx, scan{subjects: []string{w.jobSubject("*")}}) {
		if err != nil {
			return rung, err
		}
		_, has := queued[digestOf(w.bellSubject(info.Queue, info.Job.upload()))]
		overdue := info.Queue == w.opts.Queue && looked < looks && decide.Overdue(info.decision(), has, info.Updated, w.stuck, w.now())
		if !overdue && !decide.Ring(info.decision(), has, info.Updated, grace, w.now()) {
			continue
		}
		now, ok, err := w.state(ctx, info.Job.ID) // the scan may lag behind the leader
		if err != nil {
			return rung, err
		}
		if !ok || now.Revision != info.Revision {
			continue
		}
		if overdue {
			looked++
			if took, err := w.takeStuck(ctx, &now, delivered); err != nil {
				return rung, err
			} else if !took {
				continue
			}
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

// delivered returns the sequence up to which the messages of the worker's queue have been
// delivered.
func (w *Worker) delivered(ctx context.Context) (uint64, error) {
	c, err := w.bells.Consumer(ctx, consumerName(w.opts.Queue))
	if errors.Is(err, jetstream.ErrConsumerNotFound) { // it is made again by the next pull
		return 0, nil
	}
	if err != nil {
		return 0, w.explain(ctx, "look at the consumer of queue "+w.opts.Queue, err)
	}
	return c.CachedInfo().Delivered.Stream, nil
}

// takeStuck takes the message of an overdue job from the queue if it is stuck. A worker
// that is at it after all loses nothing: the claim decides, and the next delivery waits
// for that.
func (w *Worker) takeStuck(ctx context.Context, info *JobInfo, delivered uint64) (took bool, err error) {
	m, err := w.last(ctx, w.bells, w.bellSubject(info.Queue, info.Job.upload()))
	if err != nil || m.sequence == 0 || string(m.data) != info.Job.ID || !decide.Stuck(m.sequence, delivered, m.written, w.stuck, w.now()) {
		return false, err
	}
	if err := w.bells.DeleteMsg(ctx, m.sequence); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return false, w.explain(ctx, "take the message of job "+info.Job.ID+" from the queue", err)
	}
	return true, nil
}
