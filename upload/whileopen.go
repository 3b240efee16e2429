package upload

import (
	"context"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

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
