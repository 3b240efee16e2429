package upload

import (
	"context"
	"fmt"
)

// Upload uploads one file and returns what became of it, whether the client was
// started or not; while it is paused, it waits. It shares the slots, credentials
// and callbacks with the list, comes before the files of the list, and leaves the
// list when it has ended. It returns when the callbacks about the file have returned,
// too, or ctx has ended. The end of ctx ends it and keeps its checkpoint, so that the
// next Upload of the same file to the same destination goes on; OnFailed may then come
// after Upload has returned. What was sent of a Reader is aborted at the server first,
// which takes Options.CleanupTimeout at the most.
//
// The error is an [*Error], what AddFile would return, or that of a ctx that had ended
// before. The same source to the same destination twice at the same time in one client
// is [ErrFileAlreadyExist]; in two clients or processes, [ErrInUse] if it
// has more than one part.
func (c *Client) Upload(ctx context.Context, f File) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("upload: Upload: %w", context.Cause(ctx))
	}
	added, err := c.newFile(f)
	if err != nil {
		return Result{}, err
	}
	added.solo = true
	if _, err := c.enlist(added); err != nil {
		return Result{}, err
	}
	detach := context.AfterFunc(ctx, func() { c.endSolo(added, ctx) })
	defer detach()
	_ = c.await(context.Background(), &added.changed, added.ended)
	c.awaitCallbacks(ctx, added)

	c.mu.Lock()
	defer c.mu.Unlock()
	if !added.deleted {
		c.delist(added)
	}
	info := added.info
	switch info.State {
	case FileSucceeded:
		return *info.Result, nil
	case FileCanceled:
		return Result{}, newError(&info, ErrCanceled)
	}
	return Result{}, info.Err
}

// awaitCallbacks waits until all callbacks about a file have returned, or nobody
// wants to wait for them any more.
func (c *Client) awaitCallbacks(ctx context.Context, f *file) {
	if c.inCallback() {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	detach := context.AfterFunc(c.ctx, cancel)
	defer detach()
	_ = c.await(ctx, &f.changed, func() bool { return f.undelivered == 0 })
}

// endSolo ends a file of Upload whose context has ended.
func (c *Client) endSolo(f *file, ctx context.Context) {
	cause := fmt.Errorf("%w: %w", errCallerEnded, context.Cause(ctx))
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f.running():
		c.interrupt(f, toEnd, cause)
	case f.wantsTurn():
		c.failed(f, newError(&f.info, cause))
		c.settle()
	}
}
