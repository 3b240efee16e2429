package checkpoint

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/filelock"
)

func TestListTidiesUpAfterDeadHolders(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	dead := d.file(testKey("died before Begin"))
	must(t, os.WriteFile(dead, nil, 0o600))
	must(t, os.Chtimes(dead, time.Time{}, time.Now().Add(-2*unbegunKept)))
	u := mustOpen(t, d, "lives")
	defer u.Close()
	inProcess.release(u.file.path) // as another process would see it
	if entries, err := d.List(t.Context()); err != nil || len(entries) > 0 {
		t.Errorf("List: %+v, %v, want nothing", entries, err)
	}
	if files := filesIn(t, d.Path()); len(files) != 1 || files[0] != filepath.Base(u.file.path) {
		t.Errorf("%v are left, want the file that is claimed", files)
	}
}

func TestListTellsOfWhatItCannotRead(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	f, err := os.Create(d.file(testKey("a")))
	must(t, err)
	defer f.Close()
	_, err = f.WriteString("a transaction that is under way")
	must(t, err)
	if ok, err := filelock.Try(f, false); !ok || err != nil {
		t.Fatal(ok, err)
	}
	entries, err := d.List(t.Context())
	if err != nil || len(entries) != 1 || !entries[0].InUse || entries[0].Record != (Record{}) {
		t.Errorf("List: %+v, %v, want one that is in use, of which nothing is known", entries, err)
	}
}

func TestListEnds(t *testing.T) {
	d := mustOpenDir(t, filepath.Join(t.TempDir(), "checkpoints"), hostSystem())
	must(t, mustBegin(t, d, "a").Close())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("List: error is %v, want %v", err, context.Canceled)
	}
	must(t, os.RemoveAll(d.Path()))
	if entries, err := d.List(t.Context()); err != nil || len(entries) > 0 {
		t.Errorf("List of a directory that was removed: %v, %v, want nothing", entries, err)
	}
}
