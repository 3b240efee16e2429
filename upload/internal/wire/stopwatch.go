package wire

import (
	"sync"
	"time"
)

// A stopwatch adds up how long something was under way. The zero value is ready.
type stopwatch struct {
	mu    sync.Mutex
	began time.Time // zero: it does not run
	total time.Duration
}

func (s *stopwatch) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Now()
}

func (s *stopwatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total += time.Since(s.began)
	s.began = time.Time{}
}

// elapsed returns the sum, with what is under way.
func (s *stopwatch) elapsed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() {
		return s.total
	}
	return s.total + time.Since(s.began)
}
