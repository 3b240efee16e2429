package checkpointtest

import (
	"errors"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// since is a time that an upload may have been made at. Stores keep it to the second at
// least, and may forget it after a day.
var since = time.Now().Add(-time.Hour).Truncate(time.Second)

// unbegun is for stores whose claims are a [checkpoint.Unbegun], and some of it for those
// that are a [checkpoint.Marker]. Others pass it as well.
var unbegun = []test{
	{"CloseUnbegun is remembered until the next holder ends or begins", func(t *testing.T, s checkpoint.Store) {
		for name, end := range map[string]func(checkpoint.Claim) error{
			"Close":  checkpoint.Claim.Close,
			"Remove": checkpoint.Claim.Remove,
			"Begin and Close": func(c checkpoint.Claim) error {
				return errors.Join(c.Begin(t.Context(), Record(Key("Begin and Close"))), c.Close())
			},
			"Begin and Remove": func(c checkpoint.Claim) error {
				return errors.Join(c.Begin(t.Context(), Record(Key("Begin and Remove"))), c.Remove())
			},
			"CloseUnbegun with a record": func(c checkpoint.Claim) error {
				return errors.Join(c.Begin(t.Context(), Record(Key("CloseUnbegun with a record"))), c.(checkpoint.Unbegun).CloseUnbegun(since))
			},
		} {
			key := Key(name)
			u, ok := claim(t, s, key).(checkpoint.Unbegun)
			if !ok {
				return
			}
			wasUnbegun(t, "of a new upload", u, time.Time{})
			noError(t, "CloseUnbegun", u.CloseUnbegun(since))
			noError(t, "Close after it", u.Close())
			noError(t, "Remove after it", u.Remove())
			wantError(t, "Begin after it", u.Begin(t.Context(), Record(key)), checkpoint.ErrClosed)
			for _, e := range list(t, s) {
				if e.Record.Key == key {
					t.Errorf("List has %v, which was never begun", key)
				}
			}
			if f, ok := s.(checkpoint.Finder); ok {
				has(t, f, "after CloseUnbegun", key, true)
			}
			next := claim(t, s, key)
			wasUnbegun(t, "after CloseUnbegun", next, since)
			holdsNothing(t, next)
			noError(t, name, end(next))
			last := claim(t, s, key)
			wasUnbegun(t, "after CloseUnbegun, then "+name, last, time.Time{})
			noError(t, "Remove", last.Remove())
		}
	}},
	{"CloseUnbegun keeps a record and its parts", func(t *testing.T, s checkpoint.Store) {
		u, ok := begun(t, s, Record(Key("a")), Parts(1, 100)...).(checkpoint.Unbegun)
		if !ok {
			return
		}
		noError(t, "CloseUnbegun", u.CloseUnbegun(since))
		next := claim(t, s, Key("a"))
		defer next.Close()
		wasUnbegun(t, "of an upload with a record", next, time.Time{})
		holds(t, next, Record(Key("a")), Parts(1, 100)...)
	}},
	{"CloseUnbegun after Close does nothing, also to the next holder", func(t *testing.T, s checkpoint.Store) {
		old, ok := claim(t, s, Key("a")).(checkpoint.Unbegun)
		if !ok {
			return
		}
		noError(t, "Close", old.Close())
		u := claim(t, s, Key("a"))
		noError(t, "CloseUnbegun after Close", old.CloseUnbegun(since))
		_, err := s.Open(t.Context(), Key("a"))
		wantError(t, "Open", err, checkpoint.ErrInUse)
		noError(t, "Close", u.Close())
		u = claim(t, s, Key("a"))
		defer u.Close()
		wasUnbegun(t, "after the Close of both", u, time.Time{})
	}},
	{"a mark ends with Begin, Remove and Close", func(t *testing.T, s checkpoint.Store) {
		for name, test := range map[string]struct {
			end  func(checkpoint.Claim) error
			want time.Time
		}{
			"Close":  {checkpoint.Claim.Close, time.Time{}},
			"Remove": {checkpoint.Claim.Remove, time.Time{}},
			"Begin": {func(c checkpoint.Claim) error {
				return errors.Join(c.Begin(t.Context(), Record(Key("Begin"))), c.Close())
			}, time.Time{}},
			"CloseUnbegun": {func(c checkpoint.Claim) error { return c.(checkpoint.Unbegun).CloseUnbegun(since) }, since},
		} {
			u := claim(t, s, Key(name))
			m, ok := u.(checkpoint.Marker)
			if !ok {
				noError(t, "Close", u.Close())
				return
			}
			noError(t, "MarkUnbegun", m.MarkUnbegun(t.Context()))
			noError(t, "MarkUnbegun again", m.MarkUnbegun(t.Context()))
			noError(t, name, test.end(u))
			wantError(t, "MarkUnbegun after the end", m.MarkUnbegun(t.Context()), checkpoint.ErrClosed)
			next := claim(t, s, Key(name))
			wasUnbegun(t, "after a mark and "+name, next, test.want)
			noError(t, "Remove", next.Remove())
		}
	}},
	{"a mark keeps a record and its parts", func(t *testing.T, s checkpoint.Store) {
		u := begun(t, s, Record(Key("a")), Parts(1, 100)...)
		if m, ok := u.(checkpoint.Marker); ok {
			noError(t, "MarkUnbegun", m.MarkUnbegun(t.Context()))
		}
		u = reopened(t, s, u, Key("a"))
		defer u.Close()
		wasUnbegun(t, "of an upload with a record", u, time.Time{})
		holds(t, u, Record(Key("a")), Parts(1, 100)...)
	}},
}

// lostUnbegun is for shared stores of the same kinds.
var lostUnbegun = []sharedTest{
	{"the next holder finds when a lost one had claimed what it may have made", func(t *testing.T, p Pair) {
		before := time.Now().Truncate(time.Second)
		for name, test := range map[string]struct {
			call func(checkpoint.Claim) error
			want bool // that one has been made
		}{
			"nothing": {func(checkpoint.Claim) error { return nil }, false},
			"Flush":   {func(c checkpoint.Claim) error { return c.Flush(t.Context()) }, false},
			"a mark":  {func(c checkpoint.Claim) error { return c.(checkpoint.Marker).MarkUnbegun(t.Context()) }, true},
			"a mark and Begin": {func(c checkpoint.Claim) error {
				return errors.Join(c.(checkpoint.Marker).MarkUnbegun(t.Context()), c.Begin(t.Context(), Record(Key("a mark and Begin"))))
			}, false},
		} {
			u := claim(t, p.A, Key(name))
			_, marks := u.(checkpoint.Marker)
			if _, ok := u.(checkpoint.Unbegun); !ok || !marks && test.want {
				noError(t, "Close", u.Close())
				continue
			}
			noError(t, name, test.call(u))
			claimed := time.Now()
			p.Pause(t)()
			next := claim(t, p.B, Key(name))
			at := next.(checkpoint.Unbegun).Unbegun()
			// A store that has no marks takes each lost holder for one that made an upload.
			if want := test.want || !marks && name != "a mark and Begin"; at.IsZero() == want || want && (at.Before(before) || at.After(claimed)) {
				t.Errorf("after %s: Unbegun is %v, want the time of the claim, %v to %v: %t", name, at, before, claimed, want)
			}
			noError(t, "Remove by the next", next.Remove())
			_ = u.Close()
		}
	}},
	{"no mark of a lost holder touches the next one's record", func(t *testing.T, p Pair) {
		for name, call := range map[string]func(checkpoint.Claim) error{
			"MarkUnbegun": func(c checkpoint.Claim) error {
				if m, ok := c.(checkpoint.Marker); ok {
					return m.MarkUnbegun(t.Context())
				}
				return checkpoint.ErrLost
			},
			"CloseUnbegun": func(c checkpoint.Claim) error {
				if u, ok := c.(checkpoint.Unbegun); ok {
					return u.CloseUnbegun(since)
				}
				return checkpoint.ErrLost
			},
		} {
			old := claim(t, p.A, Key(name))
			resume := p.Pause(t)
			u := begun(t, p.B, Record(Key(name)), Parts(1, 3)...)
			noError(t, "Flush by the next", u.Flush(t.Context()))
			resume()
			wantError(t, name, call(old), checkpoint.ErrLost)
			holds(t, u, Record(Key(name)), Parts(1, 3)...)
			_ = old.Close()
			u = reopened(t, p.B, u, Key(name))
			wasUnbegun(t, "after "+name+" of a lost holder", u, time.Time{})
			holds(t, u, Record(Key(name)), Parts(1, 3)...)
			noError(t, "Remove by the next", u.Remove())
		}
	}},
}

// wasUnbegun looks at what a claim that is an Unbegun knows of the holder before.
func wasUnbegun(t *testing.T, when string, c checkpoint.Claim, want time.Time) {
	t.Helper()
	if u, ok := c.(checkpoint.Unbegun); ok && !u.Unbegun().Equal(want) {
		t.Errorf("Unbegun %s is %v, want %v", when, u.Unbegun(), want)
	}
}
