package ststest

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Stats are the counts of a server.
type Stats struct {
	Calls       int // requests that came in, refused ones included
	Issued      int // tokens issued
	InFlight    int // requests that are being served
	MaxInFlight int // the most that were at one time
}

// Stats returns the counts up to now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// FailNext makes the next n calls fail with a code of the documentation, such as
// Throttling.User, NoPermission or InternalError. It is added to what was
// scripted before.
func (s *Server) FailNext(n int, code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.failures = append(s.failures, code)
	}
}

// Pending returns how many of the scripted failures have not happened yet.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failures)
}

// SetDelay makes each call take d longer.
func (s *Server) SetDelay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// Hold keeps the calls that come from now on waiting, until release is called.
func (s *Server) Hold() (release func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	s.gate = gate
	s.mu.Unlock()
	return sync.OnceFunc(func() {
		s.mu.Lock()
		if s.gate == gate {
			s.gate = nil
		}
		s.mu.Unlock()
		close(gate)
	})
}

// WaitInFlight returns when n calls are being served at once, or with ctx's error
// when that ends first. With [Server.Hold] it makes a test see a moment that
// would pass.
func (s *Server) WaitInFlight(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		inFlight, entered := s.stats.InFlight, s.entered
		s.mu.Unlock()
		if inFlight >= n {
			return nil
		}
		select {
		case <-entered:
		case <-ctx.Done():
			return fmt.Errorf("ststest: wait for %d calls in flight, there are %d: %w", n, inFlight, ctx.Err())
		}
	}
}

// enter counts a call in, and returns the failure that was scripted for it.
func (s *Server) enter() (failure string, delay time.Duration, gate chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Calls++
	s.stats.InFlight++
	s.stats.MaxInFlight = max(s.stats.MaxInFlight, s.stats.InFlight)
	close(s.entered)
	s.entered = make(chan struct{})
	if len(s.failures) > 0 {
		failure, s.failures = s.failures[0], s.failures[1:]
	}
	return failure, s.delay, s.gate
}

func (s *Server) leave(issued bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.InFlight--
	if issued {
		s.stats.Issued++
	}
}

// wait is the time that a call is made to take.
func wait(ctx context.Context, delay time.Duration, gate chan struct{}) {
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
		}
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
}

// throttled counts a call against the limit of the current minute.
func (s *Server) throttled() bool {
	minute := s.opts.Now().Truncate(time.Minute)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !minute.Equal(s.minute) {
		s.minute, s.inMinute = minute, 0
	}
	s.inMinute++
	return s.inMinute > s.opts.PerMinute
}

// useNonce reports whether nonce is new. Nonces are kept for as long as the time
// stamp of a request with one could be good.
func (s *Server) useNonce(nonce string) bool {
	at := s.opts.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Sub(s.nonceTurn) > 2*maxSkew {
		s.oldNonces, s.nonces, s.nonceTurn = s.nonces, map[string]bool{}, at
	}
	if s.nonces[nonce] || s.oldNonces[nonce] {
		return false
	}
	s.nonces[nonce] = true
	return true
}
