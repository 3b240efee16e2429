package upload

import (
	"container/heap"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// waitingFor waits until n requests wait for a slot.
func (s *slots) waitingFor(t *testing.T, n int) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) != n {
		t.Fatalf("%d wait, want %d", len(s.waiting), n)
	}
}

func TestSlotsGoToTheFirstFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := 0
		s := newSlots(1, func() { idle++ })
		if err := s.acquire(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
		var order []FileID
		var wg sync.WaitGroup
		for n, id := range []FileID{5, 3, 5, 1, 4, 1 - 1<<62} {
			wg.Go(func() {
				if err := s.acquire(t.Context(), id); err != nil {
					t.Error(err)
				}
				order = append(order, id)
				s.release()
			})
			s.waitingFor(t, n+1)
		}
		if s.tryAcquire() {
			t.Error("a slot was given to one who came last")
		}
		s.release()
		wg.Wait()
		if want := []FileID{1 - 1<<62, 1, 3, 4, 5, 5}; !slices.Equal(order, want) {
			t.Errorf("got the order %v, want %v", order, want)
		}
		if idle != 1 || s.used() != 0 {
			t.Errorf("idle %d times, %d in use; want once, when nobody waited, and none", idle, s.used())
		}
	})
}

func TestSlotsForgetWhoGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, func() {})
		_ = s.acquire(t.Context(), 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		gaveUp := errors.New("gave up")
		ended := make(chan error, 1)
		go func() { ended <- s.acquire(ctx, 1) }()
		s.waitingFor(t, 1)
		got := make(chan error, 1)
		go func() { got <- s.acquire(t.Context(), 2) }()
		s.waitingFor(t, 2)
		cancel(gaveUp)
		if err := <-ended; err != gaveUp {
			t.Errorf("got %v, want the cause", err)
		}
		s.waitingFor(t, 1)
		s.release()
		if err := <-got; err != nil || s.used() != 1 {
			t.Errorf("got %v, %d in use; want the slot", err, s.used())
		}
		if err := s.acquire(ctx, 1); err != gaveUp {
			t.Errorf("got %v, want the cause although a slot may be free", err)
		}
	})
}

// TestSlotGivenToOneWhoGivesUp at the same instant is passed on.
func TestSlotGivenToOneWhoGivesUp(t *testing.T) {
	for range 200 {
		s := newSlots(1, func() {})
		_ = s.acquire(t.Context(), 1)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.acquire(ctx, 1) }()
		for waits := 0; waits == 0; {
			s.mu.Lock()
			waits = len(s.waiting)
			s.mu.Unlock()
			runtime.Gosched()
		}
		s.mu.Lock()
		cancel()
		for range 10 {
			runtime.Gosched() // it may see that it is over, and wait for the lock
		}
		close(heap.Pop(&s.waiting).(*waiter).ready)
		s.mu.Unlock()
		if err := <-ended; err == nil {
			s.release()
		}
		if n := s.used(); n != 0 {
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
			s := newSlots(limit, func() {})
			var wg sync.WaitGroup
			for n := range 200 {
				random := rand.New(rand.NewPCG(seed, uint64(n)))
				wg.Go(func() {
					time.Sleep(time.Duration(random.IntN(50)))
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(100)))
					defer cancel()
					if random.IntN(5) == 0 {
						if !s.tryAcquire() {
							return
						}
					} else if s.acquire(ctx, FileID(random.IntN(10))) != nil {
						return
					}
					time.Sleep(time.Duration(random.IntN(10)))
					s.mu.Lock()
					if s.inUse > limit || len(s.waiting) > 0 && s.inUse < limit {
						t.Errorf("seed %d: %d in use, %d wait", seed, s.inUse, len(s.waiting))
					}
					s.mu.Unlock()
					s.release()
				})
			}
			wg.Wait()
			if s.used() != 0 || len(s.waiting) != 0 {
				t.Errorf("seed %d: at the end %d in use, %d wait", seed, s.used(), len(s.waiting))
			}
		})
	}
}

func TestSlotInHandIsUsedOnce(t *testing.T) {
	s := newSlots(2, func() {})
	if !s.tryAcquire() {
		t.Fatal("no slot is free")
	}
	f := &fileSlots{slots: s, order: 1}
	f.inHand.Store(true)
	if err := f.Acquire(t.Context()); err != nil || s.used() != 1 {
		t.Errorf("got %v, %d in use; want the one in hand", err, s.used())
	}
	if err := f.Acquire(t.Context()); err != nil || s.used() != 2 {
		t.Errorf("got %v, %d in use; want another", err, s.used())
	}
	f.putDown()
	f.Release()
	f.Release()
	if s.used() != 0 {
		t.Errorf("%d in use, want none", s.used())
	}
}
