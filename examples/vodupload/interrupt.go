package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
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
// its cause. The second signal ends the process at once. stop ends both. One that follows
// the first at once is the same: timeout(1) sends it to its child and to the child's group,
// to which a terminal sends Ctrl-C already.
func (e env) interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stopped := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var first time.Time
		for {
			select {
			case s := <-e.signals:
				switch {
				case first.IsZero():
					first = e.now()
					cancel(errInterrupted{s})
				case e.now().Sub(first) >= echo:
					e.exit(exitCode(errInterrupted{s}))
				}
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

// echo is how soon after a signal another is no second one: nobody types so fast.
const echo = 50 * time.Millisecond

// interrupted returns the signal that has ended ctx, or nil.
func interrupted(ctx context.Context) os.Signal {
	var by errInterrupted
	if errors.As(context.Cause(ctx), &by) {
		return by.signal
	}
	return nil
}
