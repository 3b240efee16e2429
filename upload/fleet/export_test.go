package fleet

import (
	"context"
	"time"
)

// Consume finds or makes the consumer of a worker that does not run.
func Consume(ctx context.Context, w *Worker) error { return w.consume(ctx) }

// BellSubject returns the subject of the message of a job.
func BellSubject(q *Queue, j Job) string { return q.bellSubject(q.name, j.upload()) }

// StuckAfter sets when the messages are rung again that the worker finds delivered.
func StuckAfter(w *Worker, d time.Duration) { w.stuck = d }

// SetClock makes a worker that does not run one of a machine whose clock is off.
func SetClock(w *Worker, machine func() time.Time) {
	w.machine = machine
	_, _ = w.info(context.Background())
}

// ConsumerName names the consumer that the workers of a queue share.
func ConsumerName(q *Queue) string { return consumerName(q.name) }
