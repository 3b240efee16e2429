package upload

import (
	"context"
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// Upload uploads one file and returns its result, whether the client was started or
// not; while it is paused, it waits. The file shares the slots, credentials and
// callbacks with the list, comes before the files of the list, and leaves the list
// when it has ended.
//
// Upload returns when the callbacks about the file have returned, too, or ctx has
// ended. The end of ctx ends the file and keeps its checkpoint, so that the next Upload
// of the same file to the same destination resumes; OnFailed may then come after Upload
// has returned. What was sent of a Reader is aborted at the server first, which takes
// Options.CleanupTimeout at the most.
//
// The error is an [*Error], what AddFile would return, or that of a ctx that had ended
// before. The same source to the same destination twice at the same time in one client
// is [ErrFileAlreadyExist]; in two clients or processes, [ErrInUse] if it
// has more than one part.
func (c *Client) Upload(ctx context.Context, f File) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("upload: Upload: %w", context.Cause(ctx))
	}
	e, size, err := c.newEntry(f)
	if err != nil {
		return Result{}, err
	}
	end := &directEnd{done: make(chan struct{})}
	e.direct = end
	id, err := c.add(e, size)
	if err != nil {
		return Result{}, err
	}
	detach := context.AfterFunc(ctx, func() {
		cause := fmt.Errorf("%w: %w", errCallerEnded, context.Cause(ctx))
		_ = c.decide(func(l *filelist.List) error {
			l.End(filelist.ID(id), cause)
			return nil
		})
	})
	defer detach()
	<-end.done
	c.awaitCallbacks(ctx, end.mark)
	_ = c.decide(func(l *filelist.List) error {
		l.Forget(filelist.ID(id))
		return nil
	})
	switch end.info.State {
	case FileSucceeded:
		return *end.info.Result, nil
	case FileCanceled:
		return Result{}, newError(&end.info, ErrCanceled)
	}
	return Result{}, end.info.Err
}

// awaitCallbacks waits until the callbacks up to a mark have returned, or nobody wants
// to wait for them any more.
func (c *Client) awaitCallbacks(ctx context.Context, mark uint64) {
	if c.notify.Inside() {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	detach := context.AfterFunc(c.workers.ctx, cancel)
	defer detach()
	_ = c.notify.Wait(ctx, mark)
}
