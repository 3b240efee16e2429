package slots

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestSlotsFollowAuto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(0)
		s.SetAuto()
		var got atomic.Int64
		for range 40 {
			go func() {
				if s.Acquire(t.Context(), 1) == nil {
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
		s.Measure(Traffic{})
		s.Release()
		want("the limit was doubled", 2*autoFloor+1)
		s.auto.limit = 2
		s.Measure(Traffic{})
		for range 2*autoFloor - 2 {
			s.Release()
		}
		want("the limit was lowered to 2, and 2 are in flight", 2*autoFloor+1)
		s.Release()
		want("one of the two ended", 2*autoFloor+2)
		s.Throttled()
		if s.limit != autoLeast {
			t.Errorf("after a throttled answer the limit is %d, want %d", s.limit, autoLeast)
		}
		s.auto.limit = 1000
		s.Measure(Traffic{})
		s.Release()
		want("the limit is beyond what waits", 40)
	})
}
