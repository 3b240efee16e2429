package checkpointtest

import (
	"errors"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

var between = []sharedTest{
	{"the stores are shared, their claims held", func(t *testing.T, p Pair) {
		for name, s := range map[string]checkpoint.Store{"A": p.A, "B": p.B} {
			if shared, ok := s.(checkpoint.Shared); !ok || !shared.Shared() {
				t.Errorf("store %s (%T) is not shared", name, s)
			}
		}
		u := claim(t, p.A, Key("a"))
		defer u.Close()
		isLost(t, "claim that was just made", u, false)
	}},
	{"a claim of the other store is ErrInUse, with holder and end", func(t *testing.T, p Pair) {
		u := begun(t, p.A, Record(Key("a")))
		defer u.Close()
		_, err := p.B.Open(t.Context(), Key("a"))
		wantError(t, "Open by the other", err, checkpoint.ErrInUse)
		var used *checkpoint.InUseError
		if !errors.As(err, &used) || used.Holder == "" || used.Until.IsZero() {
			t.Errorf("Open by the other: error is %#v, want an InUseError with holder and end", err)
		}
		for _, e := range list(t, p.B) {
			if !e.InUse {
				t.Error("List by the other: the upload is not in use")
			}
		}
	}},
	{"what one has written the other finds, as soon as the claim is given up", func(t *testing.T, p Pair) {
		u := begun(t, p.A, Record(Key("a")), Parts(1, 100)...)
		noError(t, "Close", u.Close())
		v := claim(t, p.B, Key("a"))
		holds(t, v, Record(Key("a")), Parts(1, 100)...)
		noError(t, "Remove", v.Remove())
		u = claim(t, p.A, Key("a"))
		defer u.Close()
		holdsNothing(t, u)
	}},
	{"a claim that was given up is not lost", func(t *testing.T, p Pair) {
		closed, removed := begun(t, p.A, Record(Key("a"))), begun(t, p.A, Record(Key("b")))
		noError(t, "Close", closed.Close())
		noError(t, "Remove", removed.Remove())
		defer claim(t, p.B, Key("a")).Close()
		p.Pause(t)()
		isLost(t, "closed claim", closed, false)
		isLost(t, "removed claim", removed, false)
		noError(t, "Close", closed.Close())
		noError(t, "Remove", removed.Remove())
	}},
}

var lostHolder = []sharedTest{
	{"the next holder finds what was flushed", func(t *testing.T, p Pair) {
		u := begun(t, p.A, Record(Key("a")), Parts(1, 8)...)
		noError(t, "Flush", u.Flush(t.Context()))
		resume := p.Pause(t)
		v := claim(t, p.B, Key("a"))
		holds(t, v, Record(Key("a")), Parts(1, 8)...)
		resume()
		_ = u.Close()
		add(t, v, Part(9))
		noError(t, "Flush by the next", v.Flush(t.Context()))
		holds(t, v, Record(Key("a")), Parts(1, 9)...)
		noError(t, "Close by the next", v.Close())
	}},
	{"Lost is closed, with and without a next holder", func(t *testing.T, p Pair) {
		u, alone := begun(t, p.A, Record(Key("a"))), begun(t, p.A, Record(Key("b")))
		resume := p.Pause(t)
		defer claim(t, p.B, Key("a")).Close()
		resume()
		isLost(t, "claim with a next holder", u, true)
		isLost(t, "claim without one", alone, true)
		for _, c := range []checkpoint.Claim{u, alone} {
			wantError(t, "Flush", c.Flush(t.Context()), checkpoint.ErrLost)
			wantError(t, "Close", c.Close(), checkpoint.ErrLost)
			noError(t, "Close again", c.Close())
		}
	}},
	{"no call of a lost holder touches the next one's record", func(t *testing.T, p Pair) {
		for name, call := range map[string]func(checkpoint.Claim) error{
			"Begin": func(c checkpoint.Claim) error {
				other := Record(Key("Begin"))
				other.UploadID = "of-the-lost-holder"
				return c.Begin(t.Context(), other)
			},
			"Flush":  func(c checkpoint.Claim) error { return c.Flush(t.Context()) },
			"Remove": checkpoint.Claim.Remove,
			"Close":  checkpoint.Claim.Close,
		} {
			t.Run(name, func(t *testing.T) {
				key := Key(name)
				old := begun(t, p.A, Record(key), Parts(1, 5)...)
				noError(t, "Flush", old.Flush(t.Context()))
				add(t, old, Part(6)) // which may be under way
				resume := p.Pause(t)
				next := Record(key)
				next.UploadID = "of-the-next-holder"
				u := claim(t, p.B, key)
				noError(t, "Begin by the next", u.Begin(t.Context(), next))
				add(t, u, Parts(1, 3)...)
				noError(t, "Flush by the next", u.Flush(t.Context()))
				resume()
				if err := old.Add(Part(7)); err != nil {
					wantError(t, "Add", err, checkpoint.ErrLost)
				}
				wantError(t, name, call(old), checkpoint.ErrLost)
				holds(t, u, next, Parts(1, 3)...)
				if _, err := p.A.Open(t.Context(), key); !errors.Is(err, checkpoint.ErrInUse) {
					t.Errorf("Open by the lost holder: error is %v, want %v", err, checkpoint.ErrInUse)
				}
				u = reopened(t, p.B, u, key)
				holds(t, u, next, Parts(1, 3)...)
				_ = old.Close()
				noError(t, "Close by the next", u.Close())
				u = claim(t, p.A, key)
				holds(t, u, next, Parts(1, 3)...)
				noError(t, "Remove", u.Remove())
			})
		}
	}},
	{"a lost holder does not bring a removed record back", func(t *testing.T, p Pair) {
		old := begun(t, p.A, Record(Key("a")), Parts(1, 5)...)
		resume := p.Pause(t)
		noError(t, "Remove by the next", claim(t, p.B, Key("a")).Remove())
		resume()
		wantError(t, "Begin", old.Begin(t.Context(), Record(Key("a"))), checkpoint.ErrLost)
		_ = old.Add(Part(6))
		wantError(t, "Flush", old.Flush(t.Context()), checkpoint.ErrLost)
		wantError(t, "Remove", old.Remove(), checkpoint.ErrLost)
		if entries := list(t, p.B); len(entries) != 0 {
			t.Errorf("List: %v, want nothing", entries)
		}
		u := claim(t, p.A, Key("a"))
		defer u.Close()
		holdsNothing(t, u)
	}},
}

// isLost waits for a claim's Lost to be closed, or sees that it is not.
func isLost(t *testing.T, what string, u checkpoint.Claim, want bool) {
	t.Helper()
	held, ok := u.(checkpoint.Held)
	if !ok {
		t.Errorf("%s: %T is not Held", what, u)
		return
	}
	got := false
	select {
	case <-held.Lost():
		got = true
	default:
		if want {
			got = isClosedWithin(held.Lost(), lostTimeout)
		}
	}
	if got != want {
		t.Errorf("%s: lost is %t, want %t", what, got, want)
	}
}

func isClosedWithin(c <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c:
		return true
	case <-t.C:
		return false
	}
}

// lostTimeout is when Lost is taken never to be closed. It is no measure of time.
const lostTimeout = time.Minute
