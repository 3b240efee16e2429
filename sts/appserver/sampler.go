package appserver

import (
	"sync"
	"time"
)

// A sampler lets one event a second through.
type sampler struct {
	mu      sync.Mutex
	last    time.Time
	skipped int
}

// sample reports whether an event at the given time is let through, and how many were
// not since the one before.
func (s *sampler) sample(at time.Time) (skipped int, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && at.Sub(s.last) < time.Second {
		s.skipped++
		return 0, false
	}
	skipped, s.skipped, s.last = s.skipped, 0, at
	return skipped, true
}
