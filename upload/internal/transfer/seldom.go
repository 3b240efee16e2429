package transfer

import (
	"sync/atomic"
	"time"
)

// A seldom is due once in ten minutes.
type seldom struct{ last atomic.Int64 }

func (s *seldom) due(now time.Time) bool {
	const pause = 10 * time.Minute
	last := s.last.Load()
	return (last == 0 || now.UnixNano()-last >= int64(pause)) && s.last.CompareAndSwap(last, now.UnixNano())
}
