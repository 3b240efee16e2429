package upload

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// short is how long calls wait for what they have interrupted.
const short = time.Second

// Start begins with the first file of the list that is in init, and returns. Files
// that are added later go on by themselves. The end of ctx is a Stop. It returns
// [ErrState] on a client that is started already, or paused: Resume goes on then.
func (c *Client) Start(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("upload: Start: %w", context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := c.status().next(doStart)
	if err != nil {
		return err
	}
	c.state = to
	c.stopWatching()
	c.starts++
	n := c.starts
	c.start, c.unwatch = ctx, context.AfterFunc(ctx, func() { c.contextEnded(ctx, n) })
	c.settle()
	return nil
}

// stopWatching lets go of Start's context.
func (c *Client) stopWatching() {
	if c.unwatch != nil {
		c.unwatch()
		c.start, c.unwatch = nil, nil
	}
}

// contextEnded is the Stop that the end of the n-th Start's context is, unless the
// client was stopped or started anew since.
func (c *Client) contextEnded(ctx context.Context, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.start != nil && c.starts == n {
		_, _ = c.halt(doStop, toStop, stopCause(ctx))
	}
}

// stopCause is the error of what the end of Start's context has stopped.
func stopCause(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", ErrStopped, cause)
	}
	return fmt.Errorf("%w: %w: %w", ErrStopped, err, cause)
}

// Stop sets the files that are uploading back to init, and keeps their checkpoints:
// Start goes on with them. Those of Upload fail with [ErrStopped]. It waits up to a
// second for what is in flight to end.
func (c *Client) Stop() error { return c.haltAndWait(doStop, toStop, ErrStopped) }

// Pause stops what is in flight, and keeps the checkpoints; Resume goes on. It waits
// up to a second for that.
func (c *Client) Pause() error { return c.haltAndWait(doPause, toPause, errPaused) }

func (c *Client) haltAndWait(a action, why intent, cause error) error {
	c.mu.Lock()
	halted, err := c.halt(a, why, cause)
	turns := make([]int, len(halted))
	for i, f := range halted {
		turns[i] = f.turn
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	c.awaitShort(&c.changed, func() bool {
		for len(halted) > 0 && (!halted[0].running() || halted[0].turn != turns[0]) {
			halted, turns = halted[1:], turns[1:]
		}
		return len(halted) == 0
	})
	return nil
}

// halt interrupts all runs, and returns the files that it has interrupted. It is
// called with the lock held.
func (c *Client) halt(a action, why intent, cause error) ([]*file, error) {
	to, err := c.status().next(a)
	if err != nil {
		return nil, err
	}
	c.state = to
	if a == doStop {
		c.stopWatching()
		c.stops++
		c.why = cause
	}
	var halted []*file
	for f := c.order.first; f != nil; f = f.next {
		switch {
		case f.running():
			c.interrupt(f, why, cause)
			halted = append(halted, f)
		case a != doStop:
		case f.solo && !f.info.State.terminal():
			c.failed(f, newError(&f.info, cause))
		case f.info.State == FilePaused:
			c.must(f, fileStop)
		}
	}
	c.settle()
	return halted, nil
}

// Resume goes on after Pause.
func (c *Client) Resume() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := c.status().next(doResume)
	if err != nil {
		return err
	}
	c.state = to
	c.settle()
	return nil
}

// Status returns what the client is doing.
func (c *Client) Status() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status()
}

// status is Status. It is called with the lock held.
func (c *Client) status() State {
	if c.state == Started && c.gate.Expired() {
		return Expired
	}
	return c.state
}
