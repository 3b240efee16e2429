package main

import (
	"context"
	"io"
)

// within returns what f does, or the cause of ctx's end: a pipe to which nobody writes, or a
// terminal at which nobody types, would keep a run from ending. f may go on then.
func within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// An endingReader reads until its context ends.
type endingReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (e endingReader) Read(p []byte) (int, error) {
	own := make([]byte, len(p)) // p is its owner's again when Read returns
	n, err := within(e.ctx, func() (int, error) { return e.r.Read(own) })
	return copy(p, own[:n]), err
}
