package fleet

import "context"

// Consume finds or makes the consumer of a worker that does not run.
func Consume(ctx context.Context, w *Worker) error { return w.consume(ctx) }

// BellSubject returns the subject of the message of a job.
func BellSubject(q *Queue, j Job) string { return q.bellSubject(q.name, j.upload()) }
