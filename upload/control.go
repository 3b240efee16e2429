package upload

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// Start starts the files of the list that are in init, in the order of the list, and
// returns. Files that are added later start by themselves. The end of ctx stops the
// client as Stop does. Start returns [ErrState] on a client that is started already, or
// paused: call Resume then. It returns [ErrNoCredentials], and starts nothing, if a file of
// the list has a destination but no credentials and nobody can be asked for them: there
// was no Init, SetToken or ResumeWithToken yet, no Provider, and none of the callbacks
// OnStarted, OnWaiting and OnTokenExpired.
func (c *Client) Start(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("upload: Start: %w", context.Cause(ctx))
	}
	return c.decide(func(l *filelist.List) error {
		if _, err := l.State().Next(filelist.Start); err != nil {
			return err
		}
		if err := c.checkCredentialsLocked(l); err != nil {
			return err
		}
		if err := l.Do(filelist.Start, nil); err != nil {
			return err
		}
		c.start.stop()
		c.start.count++
		n := c.start.count
		c.start.ctx, c.start.stopWatching = ctx, context.AfterFunc(ctx, func() { c.startEnded(ctx, n) })
		return nil
	})
}

// startEnded stops the client because the context of the n-th Start has ended, unless
// the client was stopped or started again since.
func (c *Client) startEnded(ctx context.Context, n int) {
	var waits queueWaits
	c.view(func(l *filelist.List) { waits = c.queueWaitsLocked(l) })
	cause := judge(waits.of(stopCause(ctx)))
	_ = c.decide(func(l *filelist.List) error {
		if c.start.ctx == nil || c.start.count != n {
			return nil
		}
		return c.stopLocked(l, cause)
	})
}

// stopCause is the error of files that the end of Start's context has stopped.
func stopCause(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", ErrStopped, cause)
	}
	return fmt.Errorf("%w: %w: %w", ErrStopped, err, cause)
}

// Stop sets the files that are uploading back to init, and keeps their checkpoints:
// Start continues with them. Those of Upload fail with [ErrStopped]. Stop does not wait
// for requests in flight to end: Wait does.
func (c *Client) Stop() error {
	return c.decide(func(l *filelist.List) error { return c.stopLocked(l, ErrStopped) })
}

func (c *Client) stopLocked(l *filelist.List, cause error) error {
	err := l.Do(filelist.Stop, cause)
	if err == nil {
		c.start.stop()
	}
	return err
}

// Pause interrupts the requests in flight, and keeps the checkpoints; Resume continues.
// Pause does not wait for the requests to end.
func (c *Client) Pause() error {
	return c.decide(func(l *filelist.List) error { return l.Do(filelist.Pause, errPaused) })
}

// Resume continues after Pause.
func (c *Client) Resume() error {
	return c.decide(func(l *filelist.List) error { return l.Do(filelist.Resume, nil) })
}

// Status returns what the client is doing. A started client is expired while it waits
// for a new token.
func (c *Client) Status() State {
	var state State
	c.view(func(l *filelist.List) { state = states[l.State()] })
	if state == StateStarted && c.gate.Expired() {
		return StateExpired
	}
	return state
}
