package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// find looks for the object of a job. Where known is false, the listing does not say.
func (l *Listing) find(ctx context.Context, u *upload) (there *existing, known bool, err error) {
	name := u.job.Target.Object
	after, ok := justBefore(name)
	if !ok || !l.covers(u.job.Target) {
		return nil, false, nil
	}
	if there, known = l.look(name); known {
		return there, true, nil
	}
	if err := l.take(ctx, u); err != nil {
		return nil, false, err
	}
	defer func() { <-l.turn }()
	if there, known = l.look(name); known || l.isOff() {
		return there, known, nil
	}
	for from := l.from(name, after); ; from = after {
		if kept, err := l.ask(ctx, u, from); err != nil || !kept {
			return nil, false, err
		}
		if there, known = l.look(name); known || from == after {
			return there, known, nil
		}
		l.isSparse()
	}
}

// take waits for the turn to ask. What another job is asking for may be the answer.
func (l *Listing) take(ctx context.Context, u *upload) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	default:
	}
	if u.putDown != nil {
		u.putDown() // the job that asks may need it
	}
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ask gets one page, and returns whether it did. Failing to is no error of the job's, which
// can ask by a HEAD: only the end of ctx is.
func (l *Listing) ask(ctx context.Context, u *upload, after string) (kept bool, err error) {
	t := l.prefix
	t.RequestPayer = u.job.target().RequestPayer
	bucket, err := u.wire.Bucket(t)
	if err != nil {
		return false, err
	}
	p := span{after: after, at: time.Now()}
	var page wire.ObjectsPage
	err = u.once(ctx, func(ctx context.Context, s Snapshot) (err error) {
		page, err = bucket.ListObjects(ctx, s, l.prefix.Object, after)
		return err
	})
	we, answered := answer(err)
	switch {
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case err == nil:
		l.keep(p, page)
	case !answered:
		return false, err // there are no credentials
	case we.Status != 0 && we.Status < 500 && we.Class != wire.Throttle:
		u.warn(fmt.Errorf("the bucket cannot be listed, so that each object is asked for; it takes the right oss:ListObjects: %w", err))
		l.mu.Lock()
		defer l.mu.Unlock()
		l.off = true
	}
	return err == nil, nil
}
