package transfer

import (
	"sync/atomic"
	"time"
)

// A shortest is the shortest of the times that it was given, which is the one with the
// least waiting in it. 0: none yet.
type shortest struct{ d atomic.Int64 }

func (s *shortest) record(d time.Duration) {
	for {
		was := s.d.Load()
		if was != 0 && was <= int64(d) || s.d.CompareAndSwap(was, int64(max(d, 1))) {
			return
		}
	}
}

func (s *shortest) now() time.Duration { return time.Duration(s.d.Load()) }
