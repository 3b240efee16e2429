package transfer

import (
	"fmt"
	"sync"
	"time"
)

// Steps are the calls of one upload's source, checkpoint and Authorizer that have not
// returned yet. Most of them cannot be interrupted, and one on a network file system may
// hang: this says which. The zero value is ready, and nil counts nothing.
type Steps struct {
	mu    sync.Mutex
	calls []step
}

// A step is a call; its place is free where it has no name.
type step struct {
	call  string // "reading the source", "closing the checkpoint"
	off   int64  // -1: it has no place in the source
	began time.Time
}

// During calls fn, and records that it is under way.
func (s *Steps) During(call string, fn func() error) error {
	defer s.end(s.begin(call, -1))
	return fn()
}

// begin records the start of a call, and returns its number for end.
func (s *Steps) begin(call string, off int64) int {
	if s == nil {
		return 0
	}
	now := step{call, off, time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.calls {
		if s.calls[i].call == "" {
			s.calls[i] = now
			return i
		}
	}
	s.calls = append(s.calls, now)
	return len(s.calls) - 1
}

func (s *Steps) end(i int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[i].call = ""
}

// Oldest says which call has lasted longest, or "" if none is under way: "reading the
// source at byte 1048576 has not returned for 3s".
func (s *Steps) Oldest() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var oldest step
	for _, c := range s.calls {
		if c.call != "" && (oldest.call == "" || c.began.Before(oldest.began)) {
			oldest = c
		}
	}
	if oldest.call == "" {
		return ""
	}
	place := ""
	if oldest.off >= 0 {
		place = fmt.Sprintf(" at byte %d", oldest.off)
	}
	return fmt.Sprintf("%s%s has not returned for %v", oldest.call, place, time.Since(oldest.began).Round(10*time.Millisecond))
}
