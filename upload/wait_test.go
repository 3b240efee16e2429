package upload_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
)

func TestWaitInEachState(t *testing.T) {
	for state, want := range map[upload.State]error{
		upload.StateInit: upload.ErrState, upload.StateStopped: upload.ErrStopped, upload.StateClosed: upload.ErrClosed,
	} {
		s := newClientInState(t, state)
		if err := s.client.Wait(s.ctx); !errors.Is(err, want) {
			t.Errorf("when %s: got %v, want %v", state, err, want)
		}
	}
	for _, state := range []upload.State{upload.StateStarted, upload.StatePaused, upload.StateExpired} {
		s := newClientInState(t, state)
		ctx, cancel := context.WithTimeout(s.ctx, 10*time.Millisecond)
		defer cancel()
		if err := s.client.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, upload.ErrStopped) {
			t.Errorf("when %s: got %v, want it to wait until its context ends", state, err)
		}
		ended := make(chan error)
		go func() { ended <- s.client.Wait(s.ctx) }()
		_ = s.client.Stop()
		if err := <-ended; !errors.Is(err, upload.ErrStopped) || errors.Is(err, context.Canceled) {
			t.Errorf("Stop when %s: got %v, want ErrStopped", state, err)
		}
	}
	s := newClientInState(t, upload.StateFinished)
	if err := s.client.Wait(s.ctx); err != nil {
		t.Errorf("when finished, and the failure was reported: got %v, want nil", err)
	}
}

// A watchedContext says when somebody waits for its end.
type watchedContext struct {
	context.Context
	waits func()
}

func (c watchedContext) Done() <-chan struct{} {
	c.waits()
	return c.Context.Done()
}

// What OnFinished does comes after the end that Wait waits for.
func TestWaitAfterTheEnd(t *testing.T) {
	for name, do := range map[string]func(c *upload.Client, cancel func()) error{
		"Stop":                       func(c *upload.Client, _ func()) error { return c.Stop() },
		"Close":                      func(c *upload.Client, _ func()) error { return c.Close() },
		"the end of Start's context": func(_ *upload.Client, cancel func()) error { cancel(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			ctx, cancel := context.WithCancel(b.ctx)
			defer cancel()
			waits, done := make(chan struct{}), make(chan error, 1)
			b.opts.Callbacks.OnFinished = func(c *upload.Client) {
				<-waits
				done <- do(c, cancel)
			}
			c := b.client()
			b.add(c, b.bytesOf("a", 10))
			if err := c.Start(ctx); err != nil {
				t.Fatal(err)
			}
			if err := c.Wait(watchedContext{b.ctx, sync.OnceFunc(func() { close(waits) })}); err != nil {
				t.Errorf("Wait returned %v, want nil: all files had succeeded", err)
			}
			if err := <-done; err != nil {
				t.Errorf("the call returned %v", err)
			}
		})
	}
}
