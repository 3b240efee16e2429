package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// errInterrupted is the cause of a context that a signal has ended.
type errInterrupted struct{ signal os.Signal }

func (e errInterrupted) Error() string {
	if e.signal == os.Interrupt {
		return "interrupted"
	}
	return fmt.Sprintf("ended by a signal (%v)", e.signal)
}

// interruptible returns a context that ends with the first signal, with errInterrupted as
// its cause. The second signal ends the process at once. stop ends both.
func (e env) interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stopped := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for first := true; ; first = false {
			select {
			case s := <-e.signals:
				if !first {
					e.exit(exitCode(errInterrupted{s}))
				}
				cancel(errInterrupted{s})
			case <-stopped:
				return
			}
		}
	}()
	return ctx, func() {
		close(stopped)
		<-ended
		cancel(nil)
	}
}

// interrupted returns the signal that has ended ctx, or nil.
func interrupted(ctx context.Context) os.Signal {
	var by errInterrupted
	if errors.As(context.Cause(ctx), &by) {
		return by.signal
	}
	return nil
}
