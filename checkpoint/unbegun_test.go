package checkpoint

import (
	"bytes"
	"os"
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
