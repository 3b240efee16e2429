package checkpointtest

import (
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

var lists = []test{
	{"List of an empty store is empty", func(t *testing.T, s checkpoint.Store) {
		if entries := list(t, s); len(entries) != 0 {
			t.Errorf("List: %v, want nothing", entries)
		}
	}},
	{"List has each record and marks those in use", func(t *testing.T, s checkpoint.Store) {
		before := time.Now().Add(-time.Minute) // clocks of file systems are coarse
		noError(t, "Close", begun(t, s, Record(Key("idle")), Parts(1, 200)...).Close())
		used := begun(t, s, Record(Key("used")))
		defer used.Close()
		noError(t, "Remove", begun(t, s, Record(Key("removed"))).Remove())
		defer claim(t, s, Key("not begun")).Close()

		seen := map[string]bool{}
		for _, e := range list(t, s) {
			name := e.Record.Key.Source
			if e.InUse && name == "" {
				name = Key("used").Source // which may be all that is known
			}
			seen[name] = true
			if inUse := name == Key("used").Source; e.InUse != inUse {
				t.Errorf("List: %s in use is %v, want %v", name, e.InUse, inUse)
			}
			if !e.InUse && (e.Record != Record(Key("idle")) || e.Parts != 200) {
				t.Errorf("List: %+v with %d parts, want %+v with 200", e.Record, e.Parts, Record(Key("idle")))
			}
			if e.Saved.Before(before) || e.Saved.After(time.Now().Add(time.Minute)) {
				t.Errorf("List: %s was saved at %v, want now", name, e.Saved)
			}
		}
		if len(seen) != 2 {
			t.Errorf("List: %v, want one that is idle and one that is used", seen)
		}
	}},
	{"List disturbs no holder", func(t *testing.T, s checkpoint.Store) {
		var wg sync.WaitGroup
		done := make(chan struct{})
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					list(t, s)
				}
			}
		})
		rec := Record(Key("a"))
		for range 20 {
			u := begun(t, s, rec, Parts(1, 20)...)
			u = reopened(t, s, u, rec.Key)
			holds(t, u, rec, Parts(1, 20)...)
			noError(t, "Remove", u.Remove())
		}
		close(done)
		wg.Wait()
	}},
}

var ends = []test{
	{"Remove leaves nothing", func(t *testing.T, s checkpoint.Store) {
		u := begun(t, s, Record(Key("a")), Parts(1, 50)...)
		noError(t, "Remove", u.Remove())
		if entries := list(t, s); len(entries) != 0 {
			t.Errorf("List: %v, want nothing", entries)
		}
		u = claim(t, s, Key("a"))
		defer u.Close()
		holdsNothing(t, u)
	}},
	{"an ended upload can only be ended", func(t *testing.T, s checkpoint.Store) {
		for name, end := range map[string]func(checkpoint.Claim) error{
			"Close": checkpoint.Claim.Close, "Remove": checkpoint.Claim.Remove,
		} {
			u := begun(t, s, Record(Key(name)), Part(1))
			noError(t, name, end(u))
			noError(t, name+", Close", u.Close())
			wantError(t, name+", Add", u.Add(Part(2)), checkpoint.ErrClosed)
			wantError(t, name+", Flush", u.Flush(t.Context()), checkpoint.ErrClosed)
			wantError(t, name+", Begin", u.Begin(t.Context(), Record(Key(name))), checkpoint.ErrClosed)
			holdsNothing(t, u)
			noError(t, name+", Damaged", u.Damaged())
		}
	}},
	{"Remove after Close does nothing, also to the next holder", func(t *testing.T, s checkpoint.Store) {
		old := begun(t, s, Record(Key("a")), Part(1))
		u := reopened(t, s, old, Key("a"))
		noError(t, "Remove after Close", old.Remove())
		noError(t, "Close after Close", old.Close())
		_, err := s.Open(t.Context(), Key("a"))
		wantError(t, "Open", err, checkpoint.ErrInUse)
		add(t, u, Part(2))
		u = reopened(t, s, u, Key("a"))
		defer u.Close()
		holds(t, u, Record(Key("a")), Part(1), Part(2))
	}},
	{"Close of the store closes its uploads", func(t *testing.T, s checkpoint.Store) {
		a, b := begun(t, s, Record(Key("a")), Part(1)), claim(t, s, Key("b"))
		noError(t, "Close of the store", s.Close())
		wantError(t, "Add", a.Add(Part(2)), checkpoint.ErrClosed)
		wantError(t, "Begin", b.Begin(t.Context(), Record(Key("b"))), checkpoint.ErrClosed)
		noError(t, "Close", a.Close())
		noError(t, "Remove", b.Remove())
		_, err := s.Open(t.Context(), Key("a"))
		wantError(t, "Open", err, checkpoint.ErrClosed)
		_, err = s.List(t.Context())
		wantError(t, "List", err, checkpoint.ErrClosed)
		noError(t, "Close of the store again", s.Close())
	}},
	{"ends that race with parts lose none that was flushed", func(t *testing.T, s checkpoint.Store) {
		rec := Record(Key("a"))
		u := begun(t, s, rec, Parts(1, 10)...)
		noError(t, "Flush", u.Flush(t.Context()))
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for n := 11 + g; u.Add(Part(n)) == nil && n < 9_000; n += 4 {
				}
			})
		}
		wg.Go(func() { noError(t, "Close", u.Close()) })
		wg.Wait()
		u = claim(t, s, rec.Key)
		defer u.Close()
		if _, got, _ := u.Load(); len(got) < 10 {
			t.Errorf("Load: %d parts, want at least 10", len(got))
		}
	}},
}
