package fleet

import (
	"context"
	"fmt"
	"time"
)

// state returns the state of a job; ok is false if there is none.
func (e *engine) state(ctx context.Context, id string) (info JobInfo, ok bool, err error) {
	m, err := e.last(ctx, e.states, e.jobSubject(id))
	if err != nil {
		return JobInfo{}, false, e.explain(ctx, "read the state of job "+id, err)
	}
	if m.sequence == 0 {
		return JobInfo{}, false, nil
	}
	info, err = decode(m.data, m.sequence)
	return info, err == nil, err
}

// write replaces the state that info was made from, which is that of its Revision; 0:
// there is none. It returns info with the new Revision, or errConflict.
func (e *engine) write(ctx context.Context, info JobInfo, ttl time.Duration) (JobInfo, error) {
	info.Updated = e.now().UTC()
	data, err := info.encode()
	if err != nil {
		return info, fmt.Errorf("fleet: write the state of job %s: %w", info.Job.ID, err)
	}
	seq, err := e.put(ctx, e.jobSubject(info.Job.ID), data, info.Revision, ttl)
	if err != nil {
		return info, e.explain(ctx, "write the state of job "+info.Job.ID, err)
	}
	info.Revision = seq
	return info, nil
}

// ring wakes a worker for a job: it puts its message into the queue. If a message of the
// same upload is there, ring returns the ID of its job.
func (e *engine) ring(ctx context.Context, queue string, j *Job) (pending string, err error) {
	subject := e.bellSubject(queue, j.upload())
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		_, err := e.publish(ctx, subject, []byte(j.ID))
		if err == nil {
			return "", nil
		}
		// The server has one code for all that it cannot store, and an answer may have got
		// lost: the subject shows which it was.
		m, rerr := e.last(ctx, e.bells, subject)
		switch {
		case rerr == nil && m.sequence != 0 && string(m.data) == j.ID:
			return "", nil
		case rerr == nil && m.sequence != 0:
			return string(m.data), nil
		}
		if sleep(ctx, pause) != nil {
			return "", e.explain(ctx, "put job "+j.ID+" into the queue", err)
		}
	}
}
