package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/filelock"
)

func TestStoresOfOneDirectoryShareTheirClaims(t *testing.T) {
	base := t.TempDir()
	one := mustOpenDir(t, base, hostSystem())
	two := mustOpenDir(t, filepath.Join(base, "..", filepath.Base(base)), hostSystem())
	u := mustBegin(t, one, "a", testPart(1))
	if _, err := two.Open(t.Context(), testKey("a")); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), u.file.path) {
		t.Errorf("Open: error is %v, want %v and the path", err, ErrInUse)
	}
	entries, err := two.List(t.Context())
	if err != nil || len(entries) != 1 || !entries[0].InUse || entries[0].Parts != 1 || time.Since(entries[0].Saved) > time.Hour {
		t.Errorf("List: %+v, %v, want one that is in use, with 1 part", entries, err)
	}
	must(t, u.Close())
	u = mustOpen(t, two, "a")
	wantContent(t, u, "a", testParts(1, 1))
	must(t, u.Close())
}

// Without the table of the process, the locks of the files do the same.
func TestClaimsHoldWithoutTheTable(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a", testPart(1))
	inProcess.release(u.file.path)
	if _, err := d.Open(t.Context(), testKey("a")); !errors.Is(err, ErrInUse) {
		t.Errorf("Open: error is %v, want %v", err, ErrInUse)
	}
	must(t, u.Flush(t.Context()))
	entries, err := d.List(t.Context())
	if err != nil || len(entries) != 1 || !entries[0].InUse || entries[0].Record != testRecord("a") {
		t.Errorf("List: %+v, %v, want one that is in use, with its record", entries, err)
	}
	must(t, u.Close())
}

// Another process may remove the file after we have opened it and before we have
// locked it.
func TestClaimOfARemovedFileIsTakenAgain(t *testing.T) {
	unixOnly(t)
	sys := hostSystem()
	opened := 0
	sys.openFile = func(name string, flag int, perm fs.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, perm)
		if opened++; opened <= 2 {
			must(t, os.Remove(name))
		}
		return f, err
	}
	d := mustOpenDir(t, t.TempDir(), sys)
	u := mustBegin(t, d, "a")
	must(t, u.Close())
	if opened != 3 {
		t.Errorf("the file was opened %d times, want 3", opened)
	}
	wantContent(t, mustOpen(t, d, "a"), "a", nil)
}

// Systems answer that a file in /proc does not exist, when it should be made.
func TestClaimInADirectoryThatTakesNoFiles(t *testing.T) {
	sys := hostSystem()
	sys.openFile = func(name string, _ int, _ fs.FileMode) (*os.File, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	dir := t.TempDir()
	_, err := mustOpenDir(t, dir, sys).Open(t.Context(), testKey("a"))
	if err == nil || !strings.Contains(err.Error(), "no file can be made in "+dir+": choose another directory") {
		t.Errorf("Open: error is %v, want one that names the directory and says what to do", err)
	}
}

func TestLostClaimIsToldAndNotTakenBack(t *testing.T) {
	unixOnly(t)
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a", testPart(1))
	must(t, u.Flush(t.Context()))
	must(t, os.Remove(u.file.path))
	other, err := os.Create(u.file.path)
	must(t, err)
	defer other.Close()
	if ok, err := filelock.Try(other, false); !ok || err != nil {
		t.Fatal(ok, err)
	}
	mustAdd(t, u, testPart(2))
	if err := u.Flush(t.Context()); !errors.Is(err, ErrInUse) {
		t.Errorf("Flush: error is %v, want %v", err, ErrInUse)
	}
	must(t, other.Close())
	must(t, u.Flush(t.Context()))
	must(t, u.Close())
}

// A claim waits for somebody who only looks, and only as long as it may.
func TestClaimWaitsForAList(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	must(t, mustBegin(t, d, "a").Close())
	f, err := os.Open(d.file(testKey("a")))
	must(t, err)
	defer f.Close()
	if ok, err := filelock.Try(f, true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := d.Open(ctx, testKey("a")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open: error is %v, want %v", err, context.DeadlineExceeded)
	}
	open := make(chan error)
	go func() {
		u, err := d.Open(context.Background(), testKey("a"))
		if err == nil {
			err = u.Close()
		}
		open <- err
	}()
	filelock.Unlock(f)
	must(t, <-open)
}
