package transfer

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

const maxFree = 4 // of the tests

func TestBudget(t *testing.T) {
	policy := RetryPolicy{Count: 3, Interval: 2 * time.Second}
	network := &wire.Error{Class: wire.Retry}
	blamed := &wire.Error{Class: wire.Retry, Status: 500}
	throttle := &wire.Error{Class: wire.Throttle, Status: 503}
	stale := &wire.Error{Class: wire.Stale}
	skew := &wire.Error{Class: wire.Skew, Status: 403}
	type step struct {
		err   *wire.Error
		acked int64
		want  string // free, paused or over
	}
	repeat := func(n int, err *wire.Error, acked int64, want string) []step {
		var s []step
		for range n {
			s = append(s, step{err, acked, want})
		}
		return s
	}
	join := func(parts ...[]step) (all []step) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	one := func(err *wire.Error, acked int64, want string) []step { return []step{{err, acked, want}} }
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"permanent is over at once", one(&wire.Error{Class: wire.Permanent}, 0, "over")},
		{"restart is over at once", one(&wire.Error{Class: wire.Restart, Status: 404}, 0, "over")},
		{"canceled is over at once", one(&wire.Error{Class: wire.Canceled}, 0, "over")},
		{"a network that fails is retried three times", join(repeat(3, network, 0, "paused"), one(network, 0, "over"))},
		{"so is a server that fails", join(repeat(3, blamed, 0, "paused"), one(blamed, 0, "over"))},
		{"and one that throttles", join(repeat(3, throttle, 0, "paused"), one(throttle, 0, "over"))},
		{"all of them share one budget", join(one(network, 0, "paused"), one(blamed, 0, "paused"), one(throttle, 0, "paused"), one(network, 0, "over"))},
		{"progress gives the network a new budget", join(repeat(3, network, 0, "paused"), repeat(3, network, 1, "paused"), one(network, 1, "over"))},
		{"progress gives throttling a new budget", join(repeat(3, throttle, 0, "paused"), repeat(3, throttle, 1, "paused"), one(throttle, 1, "over"))},
		{"progress does not excuse an answer that blames this request", join(one(blamed, 1, "paused"), one(blamed, 2, "paused"), one(blamed, 3, "paused"), one(blamed, 4, "over"))},
		{"nor does progress before it excuse what the network does later", join(one(blamed, 1, "paused"), repeat(2, network, 1, "paused"), one(network, 1, "over"))},
		{"an upload that begins anew is no progress", join(one(network, 5, "paused"), repeat(2, network, 0, "paused"), one(network, 0, "over"))},
		{"stale connections are free as long as there may be more of them", join(repeat(maxFree, stale, 0, "free"), one(stale, 0, "paused"))},
		{"a pause makes new connections", join(repeat(maxFree, stale, 0, "free"), one(stale, 0, "paused"), repeat(maxFree, stale, 0, "free"), one(stale, 0, "paused"), repeat(maxFree, stale, 0, "free"), one(stale, 0, "paused"), repeat(maxFree, stale, 0, "free"), one(stale, 0, "over"))},
		{"a clock that stays wrong is retried as a server that fails", join(
			repeat(maxSkews, skew, 0, "free"), one(skew, 0, "paused"), repeat(maxSkews, skew, 0, "free"), one(skew, 0, "paused"),
			repeat(maxSkews, skew, 0, "free"), one(skew, 0, "paused"), repeat(maxSkews, skew, 0, "free"), one(skew, 0, "over"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBudget(policy, 0)
			for i, s := range tt.steps {
				v := b.next(s.err, s.acked, maxFree)
				got := "over"
				switch {
				case v.again && v.counted && v.delay > 0:
					got = "paused"
				case v.again && !v.counted && v.delay == 0:
					got = "free"
				case v.again:
					got = "neither"
				}
				if got != s.want {
					t.Fatalf("step %d, %v: got %s (%+v), want %s", i+1, s.err.Class, got, v, s.want)
				}
			}
		})
	}
}

// An outage gives back what it cost, and not what answers cost that blame the request.
func TestForgive(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first *wire.Error
		left  int // of three retries
	}{
		{"a network that fails", &wire.Error{Class: wire.Retry}, 3},
		{"a gateway's answer", &wire.Error{Class: wire.Retry, Status: 502}, 3},
		{"an answer that blames the request", &wire.Error{Class: wire.Retry, Status: 500}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBudget(RetryPolicy{Count: 3, Interval: time.Millisecond}, 0)
			b.next(tt.first, 0, maxFree)
			b.next(tt.first, 0, maxFree)
			b.forgive()
			left := 0
			for b.next(&wire.Error{Class: wire.Retry, Status: 500}, 0, maxFree).again {
				left++
			}
			if left != tt.left {
				t.Errorf("%d retries are left, want %d", left, tt.left)
			}
		})
	}
}

func TestBudgetOfNone(t *testing.T) {
	b := newBudget(RetryPolicy{}, 0)
	if v := b.next(&wire.Error{Class: wire.Stale}, 0, maxFree); !v.again || v.counted {
		t.Errorf("stale: got %+v, want it free also where nothing is retried", v)
	}
	if v := b.next(&wire.Error{Class: wire.Retry}, 0, maxFree); v.again {
		t.Errorf("retry: got %+v, want no retry", v)
	}
}

func TestPause(t *testing.T) {
	const runs = 200 // the pauses are random
	within := func(t *testing.T, what string, got, low, high time.Duration) {
		t.Helper()
		if got < low || got > high {
			t.Fatalf("%s: got %v, want %v to %v", what, got, low, high)
		}
	}
	t.Run("doubles up to 30 s, give or take a quarter", func(t *testing.T) {
		for range runs {
			b := newBudget(RetryPolicy{Count: 100, Interval: 2 * time.Second}, 0)
			for i, want := range []time.Duration{2, 4, 8, 16, 30, 30, 30} {
				want *= time.Second
				v := b.next(&wire.Error{Class: wire.Retry}, 0, maxFree)
				within(t, []string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh"}[i], v.delay, want*3/4, want*5/4)
			}
		}
	})
	t.Run("is not always the same", func(t *testing.T) {
		seen := make(map[time.Duration]bool)
		for range runs {
			seen[newBudget(RetryPolicy{Count: 1, Interval: 2 * time.Second}, 0).pause(0)] = true
		}
		if len(seen) < runs/2 {
			t.Errorf("got %d pauses in %d, want them to differ", len(seen), runs)
		}
	})
	t.Run("begins anew with progress", func(t *testing.T) {
		b := newBudget(RetryPolicy{Count: 9, Interval: 2 * time.Second}, 0)
		for range 5 {
			b.next(&wire.Error{Class: wire.Retry}, 0, maxFree)
		}
		within(t, "after progress", b.next(&wire.Error{Class: wire.Retry}, 1, maxFree).delay, 1500*time.Millisecond, 2500*time.Millisecond)
	})
	t.Run("is what the server asks for at least, and five minutes of it at most", func(t *testing.T) {
		for range runs {
			for _, tt := range []struct{ asked, low, high time.Duration }{
				{time.Minute, time.Minute, 75 * time.Second},
				{time.Hour, maxAsked, maxAsked * 5 / 4},
				{time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond},
				{-time.Hour, 1500 * time.Millisecond, 2500 * time.Millisecond},
			} {
				b := newBudget(RetryPolicy{Count: 1, Interval: 2 * time.Second}, 0)
				v := b.next(&wire.Error{Class: wire.Throttle, Status: 503, Delay: tt.asked}, 0, maxFree)
				within(t, "asked for "+tt.asked.String(), v.delay, tt.low, tt.high)
			}
		}
	})
	t.Run("an interval above 30 s is kept", func(t *testing.T) {
		b := newBudget(RetryPolicy{Count: 2, Interval: time.Minute}, 0)
		for range 2 {
			within(t, "of a minute", b.next(&wire.Error{Class: wire.Retry}, 0, maxFree).delay, 45*time.Second, 75*time.Second)
		}
	})
}

// TestStarvedSpendsNoRetry: it is no fault of the network or the server, and passes when
// other files are closed.
func TestStarvedSpendsNoRetry(t *testing.T) {
	b := newBudget(RetryPolicy{Count: 1, Interval: time.Second}, 0)
	starved := &wire.Error{Class: wire.Starved}
	for n := range maxStarved {
		if v := b.next(starved, 0, maxFree); !v.again || v.counted || v.delay != descriptors.Pause {
			t.Fatalf("attempt %d: got %+v, want another after %v, uncounted", n, v, descriptors.Pause)
		}
	}
	if v := b.next(starved, 0, maxFree); v.again {
		t.Error("it does not end")
	}
	if v := b.next(&wire.Error{Class: wire.Retry}, 0, maxFree); !v.again || !v.counted {
		t.Errorf("got %+v, want the one retry that was not spent", v)
	}
}
