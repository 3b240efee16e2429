package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// Upload uploads one file and returns its result, whether the client was started or
// not; while it is paused, it waits. The file shares the slots, credentials and
// callbacks with the list, comes before the files of the list, and leaves the list
// when it has ended.
//
// Upload returns when the callbacks about the file have returned, too, or ctx has
// ended: then at most a second later. The end of ctx ends the file and keeps its
// checkpoint, so that the next Upload of the same file to the same destination resumes.
// What takes longer than that second goes on by itself, and OnFailed comes after it: a
// call of the source that hangs, which no one can interrupt, and, of a Reader, the abort
// of what was sent. Until then the file stays in the list, with its slot and its claim,
// and the same source to the same destination is ErrFileAlreadyExist; the error of
// Upload says which call it is. [Client.Close] waits for all that.
//
// The error is an [*Error], what AddFile would return, or that of a ctx that had ended
// before. The same source to the same destination twice at the same time in one client
// is [ErrFileAlreadyExist]; in two clients or processes, [ErrInUse] if it
// has more than one part.
func (c *Client) Upload(ctx context.Context, f File) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("upload: Upload: %w", context.Cause(ctx))
	}
	e, size, err := c.newEntryWithin(ctx, f)
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
	forget := func() {
		_ = c.decide(func(l *filelist.List) error {
			l.Forget(filelist.ID(id))
			return nil
		})
	}
	if late := within(ctx, end.done); late {
		behind := func() {
			<-end.done
			forget()
		}
		if !c.workers.Go(behind) {
			go behind() // Close has given up
		}
		return Result{}, c.stuck(ctx, e, filelist.ID(id))
	}
	c.awaitCallbacks(ctx, end.mark)
	forget()
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

// grace is how long what a context has ended may take before nobody waits for it.
const grace = time.Second

// within waits for done, for the grace after ctx has ended at most; late reports that
// this was too short.
func within(ctx context.Context, done <-chan struct{}) (late bool) {
	select {
	case <-done:
		return false
	case <-ctx.Done():
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-done:
		return false
	case <-t.C:
		return true
	}
}

// newEntryWithin is newEntry, which looks at the source, for as long as ctx allows.
func (c *Client) newEntryWithin(ctx context.Context, f File) (e *entry, size int64, err error) {
	if f.Reader != nil {
		return c.newEntry(f) // there is nothing to look at
	}
	done := make(chan struct{})
	look := func() {
		defer close(done)
		e, size, err = c.newEntry(f)
	}
	if !c.workers.Go(look) {
		return nil, 0, ErrClosed
	}
	if within(ctx, done) {
		return nil, 0, fmt.Errorf("upload: Upload: %w; looking at the source %s has not returned", context.Cause(ctx), f.Path)
	}
	return e, size, err
}

// stuck is the error of a file that has not ended in time, and stays in the list.
func (c *Client) stuck(ctx context.Context, e *entry, id filelist.ID) error {
	cause := fmt.Errorf("%w: %w", errCallerEnded, context.Cause(ctx))
	var info FileInfo
	c.view(func(l *filelist.List) {
		f, _ := l.Get(id)
		info = e.snapshot(&f)
		if step := e.steps.Oldest(); step != "" {
			cause = fmt.Errorf("%w; %s", cause, step)
		}
	})
	return newError(&info, cause)
}
