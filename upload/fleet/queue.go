package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// QueueOptions are the settings of a [Queue]. The zero value of each field means its
// default.
type QueueOptions struct {
	// Namespace separates fleets that share servers: 1 to 32 letters, digits, hyphens and
	// underscores. The default is "default".
	Namespace string

	// Name of the queue, for the same characters: workers serve one queue, and a namespace
	// may have several, for films that are urgent, for example. The default is "main".
	Name string

	// Replicas is how many servers keep each message, when the streams are made; later it
	// is changed with the tools of NATS. The default is 3 in a cluster, and 1 on a single
	// server.
	Replicas int
}

const (
	defaultNamespace = "default"
	defaultQueue     = "main"
)

// resolve returns the options with their defaults.
func (o *QueueOptions) resolve() (QueueOptions, error) {
	var r QueueOptions
	if o != nil {
		r = *o
	}
	if r.Namespace == "" {
		r.Namespace = defaultNamespace
	}
	if r.Name == "" {
		r.Name = defaultQueue
	}
	if !namespaceName.MatchString(r.Name) {
		return r, fmt.Errorf("%w: Name: got %q, want 1 to 32 letters, digits, hyphens and underscores", ErrInvalidArgument, r.Name)
	}
	return r, nil
}

// A Queue takes jobs and reports what becomes of them. All its methods may be called from
// any goroutine. It holds nothing that has to be closed.
type Queue struct {
	*engine
	name string
}

// Format writes the name of q's type and nothing else, whatever the verb.
func (q *Queue) Format(f fmt.State, _ rune) { fmt.Fprint(f, "fleet.Queue") }

// NewQueue returns the queue of this name, and makes its streams if they do not exist
// yet. The error is [ErrNoEngine] if nc leads to no server with JetStream, or
// [ErrVersion]. A context without a deadline ends after 15 s, here and in each method
// that asks the engine once.
func NewQueue(ctx context.Context, nc *nats.Conn, opts *QueueOptions) (*Queue, error) {
	o, err := opts.resolve()
	if err != nil {
		return nil, fmt.Errorf("fleet: NewQueue: %w", err)
	}
	e, err := openEngine(ctx, nc, o.Namespace, o.Replicas)
	if err != nil {
		return nil, err
	}
	return &Queue{e, o.Name}, nil
}

// Enqueue stores a job and wakes a worker. It returns the job's ID, which is the one that
// it had or a new one. Once it has returned nil, the job ends as [StateSucceeded] or
// [StateDead], whatever happens to workers. The error is [ErrMissingArgument] or
// [ErrInvalidArgument] for a job that lacks something, or cannot be stored as it is,
// [ErrJobExists] if the ID is taken, or [ErrPending] while another job of the same source
// and destination is pending. What OSS would refuse, such as the name of an object, is found
// by the worker, whose Prepare may change it: such a job is dead after its first attempt.
// After any other error the job may be stored or not: repeat Enqueue with the same ID,
// for which ErrJobExists means that it is.
func (q *Queue) Enqueue(ctx context.Context, job Job) (id string, err error) {
	if err := job.check(); err != nil {
		return "", fmt.Errorf("fleet: Enqueue: %w", err)
	}
	if job.ID == "" {
		job.ID = strings.ToLower(rand.Text())
	}
	info := JobInfo{Job: job, Queue: q.name, State: StateQueued, Enqueued: q.now().UTC(), NotBefore: job.NotBefore}
	data, err := info.encode()
	switch {
	case err != nil:
		return "", fmt.Errorf("fleet: Enqueue: %w: Job cannot be stored: %w", ErrInvalidArgument, err)
	case len(data) > maxJob:
		return "", fmt.Errorf("fleet: Enqueue: %w: Job: got %d bytes as JSON, want at most %d", ErrInvalidArgument, len(data), maxJob)
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	info, err = q.write(ctx, info, 0)
	if errors.Is(err, errConflict) {
		return "", q.exists(ctx, job.ID)
	}
	if err != nil {
		return "", err
	}
	pending, err := q.ring(ctx, q.name, &job)
	if err != nil {
		return "", err
	}
	if pending != "" {
		return "", q.withdraw(ctx, info, pending)
	}
	return job.ID, nil
}

// exists returns the error for an ID that is taken. Where an Enqueue before this one has got
// no further than the state, it rings, so that the job need not wait for the reconciler.
func (q *Queue) exists(ctx context.Context, id string) error {
	if info, ok, err := q.state(ctx, id); err == nil && ok {
		if info.State == StateQueued {
			_, _ = q.ring(ctx, info.Queue, &info.Job)
		}
		return fmt.Errorf("%w: %s is %s since %s", ErrJobExists, &info.Job, info.State, info.Updated.Format(time.RFC3339))
	}
	return fmt.Errorf("%w: job %s", ErrJobExists, id)
}

// withdraw takes back a job whose upload is pending under another ID.
func (q *Queue) withdraw(ctx context.Context, info JobInfo, pending string) error {
	err := fmt.Errorf("%w: job %s has %s to %s/%s", ErrPending, pending, shown(info.Job.Source), info.Job.Bucket, info.Job.Object)
	if derr := q.states.DeleteMsg(ctx, info.Revision); derr != nil && !errors.Is(derr, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("%w; and job %s, which could not be taken back, will follow it: %w", err, info.Job.ID, derr)
	}
	return err
}

// Get returns what is known of a job, from the leader of the engine. The error is
// [ErrJobNotExist] if there is none of this ID.
func (q *Queue) Get(ctx context.Context, id string) (JobInfo, error) {
	if !jobID.MatchString(id) {
		return JobInfo{}, fmt.Errorf("%w: %q", ErrJobNotExist, id)
	}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	info, ok, err := q.state(ctx, id)
	if err == nil && !ok {
		err = fmt.Errorf("%w: %s", ErrJobNotExist, id)
	}
	return info, err
}

// Jobs iterates over all jobs of the namespace that are kept, in no order. One that
// changes meanwhile may come twice. It ends after the last, or with an error.
func (q *Queue) Jobs(ctx context.Context) iter.Seq2[JobInfo, error] {
	return q.jobs(ctx, scan{subjects: []string{q.jobSubject("*")}})
}

// Watch yields the state that a job has, and then each that it gets, until ctx ends or the
// loop is left; with id "" those of all jobs of the namespace. States that follow each
// other quickly may be skipped, the last never. The last pair has the error: the cause of
// ctx, where that ended.
func (q *Queue) Watch(ctx context.Context, id string) iter.Seq2[JobInfo, error] {
	if id == "" {
		id = "*"
	} else if !jobID.MatchString(id) {
		return func(yield func(JobInfo, error) bool) {
			yield(JobInfo{}, fmt.Errorf("%w: %q", ErrJobNotExist, id))
		}
	}
	return q.jobs(ctx, scan{subjects: []string{q.jobSubject(id)}, follow: true})
}

// Wait waits until a job has ended, and returns its last state: whether it has succeeded
// is for the caller to see. The error is [ErrJobNotExist] if there is no such job when
// Wait begins, or the cause of ctx.
func (q *Queue) Wait(ctx context.Context, id string) (JobInfo, error) {
	if info, err := q.Get(ctx, id); err != nil || info.State.Ended() {
		return info, err
	}
	var last JobInfo
	for info, err := range q.Watch(ctx, id) {
		if err != nil {
			return last, err
		}
		if last = info; info.State.Ended() {
			return info, nil
		}
	}
	return last, context.Cause(ctx)
}

// Results yields the jobs of the namespace that have ended after a revision, in the order
// in which they ended, and then each that ends later, until ctx ends. A program that
// stores the Revision of the last one it has handled, and passes that the next time,
// misses none, as long as it comes back while results are kept; 0 begins with the oldest.
func (q *Queue) Results(ctx context.Context, after uint64) iter.Seq2[JobInfo, error] {
	return func(yield func(JobInfo, error) bool) {
		for info, err := range q.jobs(ctx, scan{subjects: []string{q.jobSubject("*")}, from: after + 1, follow: true}) {
			if (err != nil || info.State.Ended()) && !yield(info, err) {
				return
			}
		}
	}
}

// Dead iterates over the jobs of the namespace that nobody tries again.
func (q *Queue) Dead(ctx context.Context) iter.Seq2[JobInfo, error] {
	return func(yield func(JobInfo, error) bool) {
		for m, err := range q.read(ctx, q.dead, scan{subjects: []string{q.deadSubject("*")}}) {
			var info JobInfo
			if err == nil {
				info, err = decode(m.data, 0)
			}
			if err == nil { // the copy does not know its revision, or a Requeue since
				var now JobInfo
				var ok bool
				if now, ok, err = q.state(ctx, info.Job.ID); err == nil {
					if !ok || now.State != StateDead {
						continue
					}
					info = now
				}
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// Requeue brings a dead job back into its queue, with all its attempts before it; what was
// sent of it is resumed where that is still possible. The error is [ErrJobNotExist],
// [ErrJobState] for a job that is not dead, or [ErrPending].
func (q *Queue) Requeue(ctx context.Context, id string) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	info, err := q.Get(ctx, id)
	if err != nil {
		return err
	}
	if info.State != StateDead {
		return fmt.Errorf("%w: Requeue: job %s is %s, want %s", ErrJobState, id, info.State, StateDead)
	}
	if m, err := q.last(ctx, q.bells, q.bellSubject(info.Queue, info.Job.upload())); err == nil && m.sequence != 0 && string(m.data) != id {
		return fmt.Errorf("%w: job %s has %s to %s/%s", ErrPending, m.data, shown(info.Job.Source), info.Job.Bucket, info.Job.Object)
	}
	info.State, info.Ended, info.NotBefore, info.attempts = StateQueued, time.Time{}, time.Time{}, attempts{}
	if info, err = q.write(ctx, info, 0); errors.Is(err, errConflict) {
		return fmt.Errorf("%w: Requeue: job %s has just changed", ErrJobState, id)
	} else if err != nil {
		return err
	}
	if _, err := q.ring(ctx, info.Queue, &info.Job); err != nil {
		return err // the reconciler rings for it
	}
	return q.forgetDead(ctx, id)
}

// Delete forgets a job that has ended. The error is [ErrJobNotExist], or [ErrJobState] for a
// job that has not.
func (q *Queue) Delete(ctx context.Context, id string) error {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	info, err := q.Get(ctx, id)
	if err != nil {
		return err
	}
	if !info.State.Ended() {
		return fmt.Errorf("%w: Delete: job %s is %s", ErrJobState, id, info.State)
	}
	if err := q.states.DeleteMsg(ctx, info.Revision); err != nil {
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return fmt.Errorf("%w: Delete: job %s has just changed", ErrJobState, id)
		}
		return q.explain(ctx, "delete job "+id, err)
	}
	return q.forgetDead(ctx, id)
}

func (e *engine) forgetDead(ctx context.Context, id string) error {
	if err := e.dead.Purge(ctx, jetstream.WithPurgeSubject(e.deadSubject(id))); err != nil {
		return e.explain(ctx, "take job "+id+" from the dead", err)
	}
	return nil
}

// Counts says how many jobs there are, as the engine sees them: it costs three requests,
// however many jobs there are.
type Counts struct {
	Waiting int // in this queue, and not with a worker
	Working int // with a worker, or put off by one after a failure
	Kept    int // states of all queues of the namespace, ended jobs included
	Dead    int // of all queues of the namespace
	Workers int // of the namespace, that are alive
}

// Counts returns how many jobs there are.
func (q *Queue) Counts(ctx context.Context) (Counts, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	var c Counts
	states, err := q.states.Info(ctx, jetstream.WithSubjectFilter(q.workerSubject("*")))
	if err != nil {
		return c, q.explain(ctx, "count jobs", err)
	}
	for subject := range states.State.Subjects {
		if subject != q.reconcilerSubject() {
			c.Workers++
		}
	}
	c.Kept = int(states.State.Msgs) - len(states.State.Subjects)
	dead, err := q.dead.Info(ctx)
	if err != nil {
		return c, q.explain(ctx, "count dead jobs", err)
	}
	c.Dead = int(dead.State.Msgs)
	consumer, err := q.bells.Consumer(ctx, consumerName(q.name))
	if errors.Is(err, jetstream.ErrConsumerNotFound) { // no worker has ever come
		bells, err := q.bells.Info(ctx)
		if err != nil {
			return c, q.explain(ctx, "count jobs", err)
		}
		c.Waiting = int(bells.State.Msgs)
		return c, nil
	}
	if err != nil {
		return c, q.explain(ctx, "count jobs", err)
	}
	info := consumer.CachedInfo()
	c.Waiting, c.Working = int(info.NumPending), info.NumAckPending
	return c, nil
}

// consumerName names the consumer that all workers of a queue share.
func consumerName(queue string) string { return "workers_" + queue }
