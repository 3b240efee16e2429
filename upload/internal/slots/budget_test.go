package slots

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// waitingFor waits until n requests wait for a slot.
func (s *Budget) waitingFor(t *testing.T, n int) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiters) != n {
		t.Fatalf("%d wait, want %d", len(s.waiters), n)
	}
}

func TestSlotsGoToTheFirstFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := 0
		s := New(1)
		if err := s.Acquire(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
		var order []int64
		var wg sync.WaitGroup
		for n, id := range []int64{5, 3, 5, 1, 4, 1 - 1<<62} {
			wg.Go(func() {
				if err := s.Acquire(t.Context(), id); err != nil {
					t.Error(err)
				}
				order = append(order, id)
				if s.Release() {
					idle++
				}
			})
			s.waitingFor(t, n+1)
		}
		if s.TryAcquire(1) > 0 {
			t.Error("a slot was given to one who came last")
		}
		s.Release()
		wg.Wait()
		if want := []int64{1 - 1<<62, 1, 3, 4, 5, 5}; !slices.Equal(order, want) {
			t.Errorf("got the order %v, want %v", order, want)
		}
		if idle != 1 || s.Used() != 0 {
			t.Errorf("idle %d times, %d in use; want once, when nobody waited, and none", idle, s.Used())
		}
	})
}

func TestSlotsForgetWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(1)
		_ = s.Acquire(t.Context(), 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		gaveUp := errors.New("gave up")
		ended := make(chan error, 1)
		go func() { ended <- s.Acquire(ctx, 1) }()
		s.waitingFor(t, 1)
		got := make(chan error, 1)
		go func() { got <- s.Acquire(t.Context(), 2) }()
		s.waitingFor(t, 2)
		cancel(gaveUp)
		if err := <-ended; err != gaveUp {
			t.Errorf("got %v, want the cause", err)
		}
		s.waitingFor(t, 1)
		s.Release()
		if err := <-got; err != nil || s.Used() != 1 {
			t.Errorf("got %v, %d in use; want the slot", err, s.Used())
		}
		if err := s.Acquire(ctx, 1); err != gaveUp {
			t.Errorf("got %v, want the cause although a slot may be free", err)
		}
	})
}

// TestSlotGivenToOneWhoGivesUp at the same instant is passed on.
func TestSlotGivenToOneWhoGivesUp(t *testing.T) {
	for range 200 {
		s := New(1)
		_ = s.Acquire(t.Context(), 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Acquire(ctx, 1) }()
		for waits := 0; waits == 0; {
			s.mu.Lock()
			waits = len(s.waiters)
			s.mu.Unlock()
			runtime.Gosched()
		}
		s.mu.Lock()
		cancel()
		for range 10 {
			runtime.Gosched() // it may see that it is over, and wait for the lock
		}
		close(heap.Pop(&s.waiters).(*waiter).ready)
		s.mu.Unlock()
		if err := <-ended; err == nil {
			s.Release()
		}
		if n := s.Used(); n != 0 {
			t.Fatalf("%d slots are lost", n)
		}
	}
}

// TestSlotsAreNeverLost lets many take, try, give up and pass on slots at the same
// instants. None may be lost, none used twice, and none idle while somebody waits.
func TestSlotsAreNeverLost(t *testing.T) {
	const limit = 3
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			s := New(limit)
			var wg sync.WaitGroup
			for n := range 200 {
				random := rand.New(rand.NewPCG(seed, uint64(n)))
				wg.Go(func() {
					time.Sleep(time.Duration(random.IntN(50)))
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(100)))
					defer cancel()
					if random.IntN(5) == 0 {
						if s.TryAcquire(1) == 0 {
							return
						}
					} else if s.Acquire(ctx, int64(random.IntN(10))) != nil {
						return
					}
					time.Sleep(time.Duration(random.IntN(10)))
					s.mu.Lock()
					if s.inUse > limit || len(s.waiters) > 0 && s.inUse < limit {
						t.Errorf("seed %d: %d in use, %d wait", seed, s.inUse, len(s.waiters))
					}
					s.mu.Unlock()
					s.Release()
				})
			}
			wg.Wait()
			if s.Used() != 0 || len(s.waiters) != 0 {
				t.Errorf("seed %d: at the end %d in use, %d wait", seed, s.Used(), len(s.waiters))
			}
		})
	}
}

func TestTryAcquireTakesWhatIsFree(t *testing.T) {
	s := New(3)
	if got := s.TryAcquire(-1) + s.TryAcquire(0); got != 0 {
		t.Errorf("took %d, asked for none", got)
	}
	if got := s.TryAcquire(2); got != 2 {
		t.Errorf("took %d, want 2", got)
	}
	if got := s.TryAcquire(2); got != 1 {
		t.Errorf("took %d, want the last one", got)
	}
	s.Return(3)
	if s.Used() != 0 {
		t.Errorf("%d in use after all were returned", s.Used())
	}
}

// TestReturnedSlotsArePassedOn to the requests that wait.
func TestReturnedSlotsArePassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(2)
		s.TryAcquire(2)
		var got atomic.Int32
		for range 2 {
			go func() {
				if s.Acquire(t.Context(), 1) == nil {
					got.Add(1)
				}
			}()
		}
		s.waitingFor(t, 2)
		s.Return(2)
		if synctest.Wait(); got.Load() != 2 || s.Used() != 2 {
			t.Errorf("%d got a slot, %d in use; want 2 of each", got.Load(), s.Used())
		}
	})
}
