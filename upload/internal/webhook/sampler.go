package webhook

import (
	"sync"
	"time"
)

// A Sampler lets one event a second through. The zero value is ready for use.
type Sampler struct {
	mu      sync.Mutex
	last    time.Time
	skipped int
}

// Sample reports whether an event at the given time is let through, and how many were
// not since the one before.
func (s *Sampler) Sample(at time.Time) (skipped int, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.last.IsZero() && at.Sub(s.last) < time.Second {
		s.skipped++
		return 0, false
	}
	skipped, s.skipped, s.last = s.skipped, 0, at
	return skipped, true
}
