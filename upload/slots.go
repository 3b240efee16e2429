package upload

import (
	"container/heap"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// slots is the budget of requests in flight of a whole client. A slot that becomes
// free goes to the waiting request of the file that comes first in the list; only
// where none waits is it offered to a file that has not begun (idle).
type slots struct {
	mu      sync.Mutex
	limit   int
	inUse   int
	arrived uint64
	waiting waiters
	idle    func() // called without the lock when a slot is free and nobody waits
	auto    *auto  // sets limit; nil: it is fixed
}

func newSlots(limit int, idle func()) *slots { return &slots{limit: limit, idle: idle} }

type waiter struct {
	order   FileID // of the file: lower first
	arrived uint64
	ready   chan struct{}
	index   int // in the heap; -1 once it has its slot
}

// acquire waits for a slot.
func (s *slots) acquire(ctx context.Context, order FileID) error {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.mu.Unlock()
		return context.Cause(ctx)
	}
	if s.inUse < s.limit && len(s.waiting) == 0 {
		s.inUse++
		s.mu.Unlock()
		return nil
	}
	s.arrived++
	w := &waiter{order: order, arrived: s.arrived, ready: make(chan struct{})}
	heap.Push(&s.waiting, w)
	s.mu.Unlock()

	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	given := w.index < 0
	if !given {
		heap.Remove(&s.waiting, w.index)
	}
	s.mu.Unlock()
	if given {
		s.release()
	}
	return context.Cause(ctx)
}

// tryAcquire takes a slot if one is free and nobody waits for it.
func (s *slots) tryAcquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inUse >= s.limit || len(s.waiting) > 0 {
		return false
	}
	s.inUse++
	return true
}

// release gives a slot back. It must not be called under the client's lock.
func (s *slots) release() {
	s.mu.Lock()
	if s.auto != nil {
		s.limit = s.auto.requestEnded(time.Now(), s.inUse >= s.limit)
	}
	s.inUse--
	for s.inUse < s.limit && len(s.waiting) > 0 {
		s.inUse++
		close(heap.Pop(&s.waiting).(*waiter).ready)
	}
	free := s.inUse < s.limit
	s.mu.Unlock()
	if free {
		s.idle()
	}
}

// acked tells how many bytes the server has acknowledged.
func (s *slots) acked(n int64) {
	if s.auto == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auto.acked(n)
}

// throttled tells that the server asked for less. What is in flight goes on.
func (s *slots) throttled() {
	if s.auto == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auto.throttled(time.Now())
	s.limit = s.auto.limit
}

type waiters []*waiter

func (w waiters) Len() int { return len(w) }

func (w waiters) Less(i, j int) bool {
	if w[i].order != w[j].order {
		return w[i].order < w[j].order
	}
	return w[i].arrived < w[j].arrived
}

func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].index, w[j].index = i, j
}

func (w *waiters) Push(x any) {
	one := x.(*waiter)
	one.index = len(*w)
	*w = append(*w, one)
}

func (w *waiters) Pop() any {
	old := *w
	one := old[len(old)-1]
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	one.index = -1
	return one
}

// fileSlots is the budget as one file sees it. A file is started with a slot in
// its hand, so that no more files are started than there are slots for; its first
// request uses it.
type fileSlots struct {
	*slots
	order  FileID
	inHand atomic.Bool
}

func (s *fileSlots) Acquire(ctx context.Context) error {
	if ctx.Err() == nil && s.inHand.CompareAndSwap(true, false) {
		return nil
	}
	return s.acquire(ctx, s.order)
}

func (s *fileSlots) Release() { s.release() }

// putDown gives back the slot that the file was started with, if it still has it.
func (s *fileSlots) putDown() {
	if s.inHand.CompareAndSwap(true, false) {
		s.release()
	}
}

// used returns how many requests are in flight.
func (s *slots) used() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inUse
}
