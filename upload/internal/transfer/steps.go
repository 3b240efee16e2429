package transfer

import (
	"fmt"
	"sync"
	"time"
)

// Steps are the calls of one source that have not returned yet. No such call can be
// interrupted, and one on a network file system may hang: this says which. The zero
// value is ready, and nil counts nothing.
type Steps struct {
	mu    sync.Mutex
	calls []step
}

// A step is a call; its place is free where it has no verb.
type step struct {
	verb  string // "reading", "closing"
	off   int64  // -1: it has no place in the source
	began time.Time
}

// begin records the start of a call, and returns its number for end.
func (s *Steps) begin(verb string, off int64) int {
	if s == nil {
		return 0
	}
	now := step{verb, off, time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.calls {
		if s.calls[i].verb == "" {
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
	s.calls[i].verb = ""
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
		if c.verb != "" && (oldest.verb == "" || c.began.Before(oldest.began)) {
			oldest = c
		}
	}
	if oldest.verb == "" {
		return ""
	}
	place := ""
	if oldest.off >= 0 {
		place = fmt.Sprintf(" at byte %d", oldest.off)
	}
	return fmt.Sprintf("%s the source%s has not returned for %v", oldest.verb, place, time.Since(oldest.began).Round(10*time.Millisecond))
}
