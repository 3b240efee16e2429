package upload

import (
	"context"
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// within runs fn, which calls a file system or a source and may hang, and returns what it
// returns; its panic, and its end of the goroutine, are errors. At most a second after the end
// of ctx, or of the client, within returns without: the call continues, and Close waits for
// it. The error names what has not returned.
func within[T any](ctx context.Context, c *Client, what string, fn func() (T, error)) (T, error) {
	var got struct { // read only after done: a call that is late must not write to what is returned
		value T
		err   error
	}
	got.err = fmt.Errorf("%s %w", what, tasks.ErrGoexit) // unless it returns
	var none T
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.workers.ctx, func() { cancel(ErrClosed) })()
	done := make(chan struct{})
	ran := c.workers.Go(func() {
		defer close(done)
		got.err = transfer.Protect(what, func() (err error) {
			got.value, err = fn()
			return err
		})
	})
	switch {
	case !ran:
		return none, ErrClosed
	case awaitBriefly(ctx, done):
		return none, fmt.Errorf("upload: %w; %s has not returned", context.Cause(ctx), what)
	}
	return got.value, got.err
}

// whileOpen runs fn until the client is closed, as if its context had ended then. Close
// waits for fn, which must not wait for the end of anything else: it may hold the slots
// that clean-ups are waiting for.
func whileOpen[T any](ctx context.Context, c *Client, fn func(context.Context) (T, error)) (value T, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	ran := c.workers.Go(func() {
		defer close(done)
		defer cancel(nil)
		value, err = fn(ctx)
	})
	if !ran {
		cancel(nil)
		return value, ErrClosed
	}
	if c.await(ctx, &c.changed, func(l *filelist.List) bool { return l.State() == filelist.Closed }) == nil {
		cancel(ErrClosed)
	}
	<-done
	return value, err
}
