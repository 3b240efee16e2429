package osstest

import (
	"context"
	"fmt"
)

// WaitRequests waits until the server has seen n calls of the given
// operations, or n of any if none is given: until [Server.Count] would return
// at least n. It returns an error if ctx ends before.
func (s *Server) WaitRequests(ctx context.Context, n int, ops ...Op) error {
	return s.waitLog(ctx, fmt.Sprintf("for %d calls of %v", n, opNames(ops)), func() (int, bool) {
		have := s.Count(ops...)
		return have, have >= n
	})
}

// WaitIdle waits until no call is in flight. It returns an error if ctx ends
// before.
func (s *Server) WaitIdle(ctx context.Context) error {
	return s.waitLog(ctx, "until no call is in flight", func() (int, bool) {
		have := s.InFlight()
		return have, have == 0
	})
}

func (s *Server) waitLog(ctx context.Context, what string, done func() (have int, ok bool)) error {
	for {
		changed := s.requests.changes()
		have, ok := done()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("osstest: waiting %s, there are %d: %w", what, have, context.Cause(ctx))
		}
	}
}

func opNames(ops []Op) string {
	if len(ops) == 0 {
		return opName(AnyOp)
	}
	return fmt.Sprint(ops)
}
