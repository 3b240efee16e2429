package tasks

import (
	"context"
	"sync"
	"time"
)

// A Signal wakes all goroutines that wait for it: Broadcast closes the channel, and
// the next C makes a new one. Take the channel before looking at what it is about. Its
// zero value is ready.
type Signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// C returns the channel that the next Broadcast closes.
func (s *Signal) C() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

// Broadcast wakes those who wait.
func (s *Signal) Broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// Sleep returns after d, or earlier with the cause when ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
