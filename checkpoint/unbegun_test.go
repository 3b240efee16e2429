package checkpoint

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// A process that is killed in the middle of Begin leaves what it had written by
// then. That is no damaged record: nothing was promised of it yet.
func TestKilledDuringFirstBegin(t *testing.T) {
	for _, n := range []int{0, 1, boltfile.PageSize, 2*boltfile.PageSize - 1, 2 * boltfile.PageSize, len(boltfile.Empty())} {
		d := mustOpenDir(t, t.TempDir(), hostSystem())
		u := mustBegin(t, d, "a")
		path := u.file.path
		must(t, u.Close())
		grown := append(boltfile.Empty()[:n], bytes.Repeat([]byte{7}, max(0, n-4*boltfile.PageSize+1))...)
		must(t, os.WriteFile(path, grown, 0o600))

		again, err := d.Open(t.Context(), testKey("a"))
		must(t, err)
		if _, _, ok := again.Load(); ok || again.Damaged() != nil {
			t.Errorf("%d bytes: there is a record: %t; damaged: %v", n, ok, again.Damaged())
		}
		must(t, again.Begin(t.Context(), testRecord("a")))
		must(t, again.Close())
		again, err = d.Open(t.Context(), testKey("a"))
		must(t, err)
		if rec, _, ok := again.Load(); !ok || rec != testRecord("a") {
			t.Errorf("%d bytes: got %v, %t after Begin", n, rec, ok)
		}
		must(t, again.Remove())
	}
}

func TestListDropsWhatWasNotBegunForADay(t *testing.T) {
	for age, dropped := range map[time.Duration]bool{time.Hour: false, 25 * time.Hour: true} {
		d := mustOpenDir(t, t.TempDir(), hostSystem())
		u := mustBegin(t, d, "a")
		path := u.file.path
		must(t, u.Close())
		must(t, os.WriteFile(path, boltfile.Empty(), 0o600))
		at := time.Now().Add(-age)
		must(t, os.Chtimes(path, at, at))
		if entries, err := d.List(t.Context()); err != nil || len(entries) > 0 {
			t.Errorf("got %v, %v; want none", entries, err)
		}
		if _, err := os.Stat(path); os.IsNotExist(err) != dropped {
			t.Errorf("after %v: got %v, dropped should be %t", age, err, dropped)
		}
	}
}

func TestUnbegun(t *testing.T) {
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	stores := map[string]func() Store{
		"directory": func() Store { return mustOpenDir(t, t.TempDir(), hostSystem()) },
		"memory":    func() Store { return NewMemory() },
	}
	claimed := func(s Store) Unbegun {
		u, err := s.Open(t.Context(), testKey("a"))
		must(t, err)
		return u.(Unbegun)
	}
	for name, open := range stores {
		for _, tt := range []struct {
			name string
			end  func(u Unbegun) error
			want time.Time
		}{
			{"closed: none", func(u Unbegun) error { return u.Close() }, time.Time{}},
			{"removed: none", func(u Unbegun) error { return u.Remove() }, time.Time{}},
			{"closed unbegun: since then", func(u Unbegun) error { return u.CloseUnbegun(at) }, at},
			{"closed unbegun with a record: none", func(u Unbegun) error {
				return errors.Join(u.Begin(t.Context(), testRecord("a")), u.Add(testPart(1)), u.CloseUnbegun(at))
			}, time.Time{}},
		} {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				s := open()
				u := claimed(s)
				if got := u.Unbegun(); !got.IsZero() {
					t.Errorf("of a new one: got %v", got)
				}
				must(t, tt.end(u))
				again := claimed(s)
				defer again.Remove()
				if got := again.Unbegun(); !got.Equal(tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
				_, parts, ok := again.Load()
				if want := strings.Contains(tt.name, "with a record"); ok != want || (len(parts) == 1) != want {
					t.Errorf("there is a record: %t, with %d parts", ok, len(parts))
				}
			})
		}
		t.Run(name+", begun after that: none", func(t *testing.T) {
			s := open()
			must(t, claimed(s).CloseUnbegun(at))
			u := claimed(s)
			must(t, errors.Join(u.Begin(t.Context(), testRecord("a")), u.Close()))
			again := claimed(s)
			defer again.Remove()
			if got := again.Unbegun(); !got.IsZero() {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestHolderIsKilledBeforeBegin(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, left := range [][]byte{nil, boltfile.Empty()[:boltfile.PageSize], boltfile.Empty()} {
		path := d.file(testKey("a"))
		must(t, os.WriteFile(path, left, 0o600))
		must(t, os.Chtimes(path, at, at))
		u, err := d.Open(t.Context(), testKey("a"))
		must(t, err)
		if got := u.(Unbegun).Unbegun(); !got.Equal(at) {
			t.Errorf("%d bytes: got %v, want %v", len(left), got, at)
		}
		must(t, u.Close())
	}
}
