package checkpoint

import (
	"bytes"
	"os"
	"testing"
)

// A process that is killed in the middle of Begin leaves what it had written by
// then. That is no damaged record: nothing was promised of it yet.
func TestKilledDuringFirstBegin(t *testing.T) {
	for _, n := range []int{0, 1, pageSize, 2*pageSize - 1, 2 * pageSize, len(emptyImage())} {
		d := mustOpenDir(t, t.TempDir(), hostSystem())
		u := mustBegin(t, d, "a")
		path := u.file.path
		must(t, u.Close())
		grown := append(emptyImage()[:n], bytes.Repeat([]byte{7}, max(0, n-4*pageSize+1))...)
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

func TestListDropsWhatWasNeverBegun(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a")
	path := u.file.path
	must(t, u.Close())
	must(t, os.WriteFile(path, emptyImage(), 0o600))
	if entries, err := d.List(t.Context()); err != nil || len(entries) > 0 {
		t.Errorf("got %v, %v; want none", entries, err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}
