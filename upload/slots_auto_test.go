package upload

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestSlotsFollowAuto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(autoFloor, func() {})
		s.auto = newAuto()
		var got atomic.Int64
		for range 40 {
			go func() {
				if s.acquire(t.Context(), 1) == nil {
					got.Add(1)
				}
			}()
		}
		want := func(what string, n int64) {
			t.Helper()
			synctest.Wait()
			if got := got.Load(); got != n {
				t.Errorf("%s: %d got a slot, want %d", what, got, n)
			}
		}
		want("at first", autoFloor)
		s.auto.limit = 2 * autoFloor
		s.release()
		want("the limit was doubled", 2*autoFloor+1)
		s.auto.limit = 2
		for range 2*autoFloor - 2 {
			s.release()
		}
		want("the limit was lowered to 2, and 2 are in flight", 2*autoFloor+1)
		s.release()
		want("one of the two ended", 2*autoFloor+2)
		s.throttled()
		if s.limit != autoLeast {
			t.Errorf("after a throttled answer the limit is %d, want %d", s.limit, autoLeast)
		}
		s.auto.limit = 1000
		s.release()
		want("the limit is beyond what waits", 40)
	})
}

func TestAutoIsAnOption(t *testing.T) {
	o, err := (&Options{Parallel: Auto}).withDefaults()
	if err != nil || o.Parallel != autoMost {
		t.Errorf("got at most %d in flight and error %v, want %d", o.Parallel, err, autoMost)
	}
	if _, err := (&Options{Parallel: -1}).withDefaults(); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("got error %v, want ErrInvalidArgument", err)
	}
}
