package transfer

import (
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// maxPatience bounds how many times StallTimeout a request waits for its answer once the
// server has all of the request.
const maxPatience = 8

// morePatience returns how many times StallTimeout the attempt waits that follows one
// with n of them. A server that has the whole request, and does not answer, may be slow:
// to send the same once more with the same patience would end the same.
func morePatience(n int, we *wire.Error) int {
	if we.Unanswered {
		return min(2*n, maxPatience)
	}
	return n
}

// A patience is what the requests of a service have shown to need.
type patience struct{ n atomic.Int32 }

func (p *patience) now() int { return max(int(p.n.Load()), 1) }

// answered records a request that was answered after some time, with n times the
// timeout to wait for it: what follows begins with what this one needed.
func (p *patience) answered(n int, took, timeout time.Duration) {
	switch {
	case took > timeout:
		p.n.Store(int32(n))
	case p.n.Load() > 1:
		p.n.Store(int32(n / 2))
	}
}

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
