package upload

import (
	"context"
	"errors"
	"fmt"
)

// Wait returns when the client is finished, and the callbacks of all that happened
// until then have returned (if it is not itself called from one). The error is nil
// if all files of the list succeeded or were canceled; an [Errors] if some failed;
// [ErrStopped], with the end of Start's context as its cause, if the client was
// stopped before that (what had failed by then is in Files); [ErrState] if it was not
// started; [ErrClosed] if it was closed before it was finished; or what ended ctx. It
// does not wait for files of Upload.
func (c *Client) Wait(ctx context.Context) error {
	inside := c.inCallback()
	w := waiting{c: c, inside: inside, stops: -1}
	err := c.await(ctx, &c.changed, w.over)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		return c.gaveUp(err)
	}
	return w.outcome()
}

// gaveUp returns the error of a Wait whose context has ended. Often that is Start's
// context as well: then the client stops, whether it knows already or not.
func (c *Client) gaveUp(cause error) error {
	text := fmt.Errorf("upload: Wait: %w", cause)
	if c.start != nil && c.start.Err() != nil || c.state == Stopped && errors.Is(c.why, cause) {
		text = fmt.Errorf("upload: Wait: %w: %w", ErrStopped, cause)
	}
	if busy := c.events.busyWith(); busy != "" {
		return fmt.Errorf("%w (%s)", text, busy)
	}
	return text
}

// A waiting is one call of Wait.
type waiting struct {
	c      *Client
	inside bool   // of a callback
	stops  int    // of the client when Wait was called; -1: not yet looked
	late   bool   // the client was closed before
	quiet  bool   // nothing of the list goes on
	upTo   uint64 // events that had happened by then
}

// over reports whether Wait has waited long enough.
func (w *waiting) over() bool {
	c := w.c
	if w.stops < 0 {
		w.stops, w.late = c.stops, c.state == Closed
		if c.state == Stopped {
			w.stops-- // it was stopped before
		}
	}
	switch {
	case c.state == Init, c.state == Closed:
		return true
	case c.state == Stopped, c.state == Finished:
	case c.stops != w.stops: // and started again
		return true
	default:
		w.quiet = false
		return false
	}
	if c.listed > 0 {
		return false
	}
	if !w.quiet {
		w.quiet, w.upTo = true, c.events.pushed
	}
	return w.inside || c.events.done >= w.upTo
}

// outcome is what Wait returns.
func (w *waiting) outcome() error {
	c := w.c
	switch {
	case c.state == Init:
		return fmt.Errorf("%w: Wait, the client is %s: call Start first", ErrState, c.state)
	case c.allDone && !w.late: // whatever OnFinished has done then
	case c.state == Closed:
		return ErrClosed
	case c.stops != w.stops:
		return c.why
	}
	var failed Errors
	for f := c.order.first; f != nil; f = f.next {
		var one *Error
		if f.info.State == FileFailed && !f.solo && errors.As(f.info.Err, &one) {
			failed = append(failed, one)
		}
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}
