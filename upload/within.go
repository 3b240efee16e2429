package upload

import (
	"context"
	"fmt"
)

// within runs fn, which calls a file system or a source and may hang, and returns what it
// returns. At most a second after the end of ctx, or of the client, it returns without:
// the call continues, and Close waits for it. The error names what has not returned.
func within[T any](ctx context.Context, c *Client, what string, fn func() (T, error)) (T, error) {
	var got struct { // read only after done: a call that is late must not write to what is returned
		value T
		err   error
	}
	var none T
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.workers.ctx, func() { cancel(ErrClosed) })()
	done := make(chan struct{})
	ran := c.workers.Go(func() {
		defer close(done)
		got.value, got.err = fn()
	})
	switch {
	case !ran:
		return none, ErrClosed
	case awaitBriefly(ctx, done):
		return none, fmt.Errorf("upload: %w; %s has not returned", context.Cause(ctx), what)
	}
	return got.value, got.err
}
