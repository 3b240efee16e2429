// Package slots is the budget of requests in flight of a whole client.
package slots

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// A Budget hands out slots: each request in flight holds one. A slot that becomes free
// goes to the waiting request of the lowest rank, and of these to the one that came
// first. Only where none waits may it go to a file that has not begun: see
// [Budget.Release].
type Budget struct {
	mu      sync.Mutex
	limit   int
	inUse   int
	arrived uint64
	waiters waiters
	auto    *auto // sets limit; nil: it is fixed
	autos   int   // how many there were
}

// New returns a budget of limit slots.
func New(limit int) *Budget { return &Budget{limit: limit} }

// Set changes the limit. Requests in flight keep their slots.
func (b *Budget) Set(limit int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit, b.auto = limit, nil
	b.passOn()
}

// SetAuto has the budget find its limit by measuring from now on. It returns the number
// of this measuring, 0 if one is under way already: somebody has to call Measure for as
// long as Measures(number).
func (b *Budget) SetAuto() (number int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.auto != nil {
		return 0
	}
	b.autos++
	b.auto = newAuto()
	b.limit = b.auto.limit
	b.passOn()
	return b.autos
}

// Measures reports whether a measuring is under way still.
func (b *Budget) Measures(number int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.auto != nil && b.autos == number
}

type waiter struct {
	rank    int64 // lower first
	arrived uint64
	ready   chan struct{}
	index   int // in the heap; -1 once it has its slot
}

// Acquire waits for a slot. The error is the cause that ended ctx.
func (b *Budget) Acquire(ctx context.Context, rank int64) error {
	b.mu.Lock()
	if ctx.Err() != nil {
		b.mu.Unlock()
		return context.Cause(ctx)
	}
	if b.inUse < b.limit && len(b.waiters) == 0 {
		b.inUse++
		b.mu.Unlock()
		return nil
	}
	b.arrived++
	w := &waiter{rank: rank, arrived: b.arrived, ready: make(chan struct{})}
	heap.Push(&b.waiters, w)
	b.mu.Unlock()

	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	given := w.index < 0
	if !given {
		heap.Remove(&b.waiters, w.index)
	}
	b.mu.Unlock()
	if given {
		b.Return(1)
	}
	return context.Cause(ctx)
}

// TryAcquire takes up to n slots that are free while no request waits, and returns how
// many.
func (b *Budget) TryAcquire(n int) int {
	if n <= 0 {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiters) > 0 {
		return 0
	}
	n = max(0, min(n, b.limit-b.inUse))
	b.inUse += n
	return n
}

// Return gives back n slots that no request used.
func (b *Budget) Return(n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inUse -= n
	b.passOn()
}

// Release ends the use of a slot by a request. It reports whether a slot is free now
// that no request waits for: another file may be started then.
func (b *Budget) Release() (idle bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inUse--
	b.passOn()
	return b.inUse < b.limit
}

// passOn gives free slots to those who wait for one. It is called with the lock held.
func (b *Budget) passOn() {
	for b.inUse < b.limit && len(b.waiters) > 0 {
		b.inUse++
		close(heap.Pop(&b.waiters).(*waiter).ready)
	}
}

// Measure takes what the connections carry now, for a budget that finds its limit by
// measuring. It reports whether a slot became free that no request waits for, as Release
// does.
func (b *Budget) Measure(t Traffic) (idle bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.auto == nil {
		return false
	}
	b.auto.look(time.Now(), t, b.inUse >= b.limit)
	b.limit = b.auto.limit
	b.passOn()
	return b.inUse < b.limit
}

// Restart has what is measured begin again: something else than the limit has held the
// requests up.
func (b *Budget) Restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.auto != nil {
		b.auto.began = time.Time{}
	}
}

// Throttled records that the server asked for less. What is in flight continues.
func (b *Budget) Throttled() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.auto != nil {
		b.auto.throttled(time.Now())
		b.limit = b.auto.limit
	}
}

type waiters []*waiter

func (w waiters) Len() int { return len(w) }

func (w waiters) Less(i, j int) bool {
	if w[i].rank != w[j].rank {
		return w[i].rank < w[j].rank
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

// Used returns how many requests are in flight.
func (b *Budget) Used() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.inUse
}

// Limit returns how many requests may be in flight now.
func (b *Budget) Limit() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit
}
