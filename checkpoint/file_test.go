package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// unixOnly skips what cannot happen where files in use cannot be touched.
func unixOnly(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("files in use cannot be removed here")
	}
}

func TestWhatWasRemovedWhileInUseIsMadeAnew(t *testing.T) {
	unixOnly(t)
	for name, spoil := range map[string]func(d *Dir, path string) error{
		"file":                          func(_ *Dir, path string) error { return os.Remove(path) },
		"directory":                     func(d *Dir, _ string) error { return os.RemoveAll(d.path) },
		"file, with noise in its place": func(_ *Dir, path string) error { return replaced(path, []byte("noise")) },
		"file, with an old one in its place": func(_ *Dir, path string) error {
			return replaced(path, recordFileBytes(t, 3))
		},
		"end of the file": func(_ *Dir, path string) error { return os.Truncate(path, pageSize) },
		"all of the file": func(_ *Dir, path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			d := mustOpenDir(t, filepath.Join(t.TempDir(), "checkpoints"), hostSystem())
			u := mustBegin(t, d, "a", testParts(1, 300)...)
			must(t, u.Flush(t.Context()))
			must(t, spoil(d, u.file.path))
			mustAdd(t, u, testPart(301))
			// A mapped page that is gone is an error; it is made anew with the next try.
			if err := u.Flush(t.Context()); err != nil && !strings.Contains(err.Error(), u.file.path) {
				t.Errorf("Flush: error is %v, want one that names the file", err)
			}
			must(t, u.Flush(t.Context()))
			must(t, u.Close())
			u = mustOpen(t, d, "a")
			if err := u.Damaged(); err != nil {
				t.Errorf("damaged: %v", err)
			}
			wantContent(t, u, "a", testParts(1, 301))
			must(t, u.Remove())
			if files := filesIn(t, d.Path()); len(files) > 0 {
				t.Errorf("%v are left", files)
			}
		})
	}
}

func replaced(path string, data []byte) error {
	return errors.Join(os.Remove(path), os.WriteFile(path, data, 0o600))
}

func TestRemoveLeavesTheNextHoldersFile(t *testing.T) {
	unixOnly(t)
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a")
	must(t, replaced(u.file.path, []byte("the next holder's")))
	must(t, u.Remove())
	if data, err := os.ReadFile(u.file.path); err != nil || string(data) != "the next holder's" {
		t.Errorf("the file holds %q, %v", data, err)
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
	if ok, err := tryLock(other, false); !ok || err != nil {
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

func TestFailedBeginLeavesNothing(t *testing.T) {
	for name, broken := range map[string]func(*system, *error){
		"sync of the file": func(s *system, err *error) {
			s.sync = func(*os.File) error { return *err }
		},
		"sync of the directory": func(s *system, err *error) {
			s.syncDir = func(string) error { return *err }
		},
	} {
		t.Run(name, func(t *testing.T) {
			var fault error
			sys := hostSystem()
			broken(&sys, &fault)
			d := mustOpenDir(t, t.TempDir(), sys)
			u := mustOpen(t, d, "a")

			fault = syscall.ENOSPC
			err := u.Begin(t.Context(), testRecord("a"))
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), u.file.path) {
				t.Errorf("Begin: error is %v, want %v and the path", err, fault)
			}
			if _, _, ok := u.Load(); ok || len(filesIn(t, d.Path())) > 0 {
				t.Errorf("there is a record: %v, and files: %v", ok, filesIn(t, d.Path()))
			}
			fault = nil
			must(t, u.Begin(t.Context(), testRecord("a")))
			mustAdd(t, u, testPart(1))
			must(t, u.Close())
			u = mustOpen(t, d, "a")
			wantContent(t, u, "a", testParts(1, 1))
			must(t, u.Close())
		})
	}
}

// Parts that are added after a second Begin failed belong to the first record,
// whatever became of the file.
func TestFailedSecondBeginKeepsTheFirst(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	u := mustBegin(t, d, "a", testParts(1, 600)...)
	must(t, u.Flush(t.Context()))
	full(u, true)
	second := testRecord("a")
	second.UploadID = strings.Repeat("another", 100_000)
	if err := u.Begin(t.Context(), second); err == nil {
		t.Fatal("Begin while the disk is full: no error")
	}
	wantContent(t, u, "a", testParts(1, 600))
	full(u, false)
	mustAdd(t, u, testPart(601))
	must(t, u.Close())
	u = mustOpen(t, d, "a")
	wantContent(t, u, "a", testParts(1, 601))
	must(t, u.Close())
}

// The same where the file was replaced meanwhile, by one that is sound.
func TestFailedHealingIsDoneOnceMore(t *testing.T) {
	unixOnly(t)
	var fault error
	sys := hostSystem()
	sys.syncDir = func(dir string) error { return fault }
	d := mustOpenDir(t, t.TempDir(), sys)
	u := mustBegin(t, d, "a", testPart(1))
	must(t, u.Flush(t.Context()))
	another := testRecord("a")
	another.UploadID = "another"
	must(t, u.Begin(t.Context(), another))
	mustAdd(t, u, testPart(1))
	must(t, replaced(u.file.path, recordFileBytes(t, 3)))
	fault = syscall.EIO
	if err := u.Flush(t.Context()); !errors.Is(err, fault) {
		t.Errorf("Flush: error is %v, want %v", err, fault)
	}
	fault = nil
	must(t, u.Flush(t.Context()))
	if c := onDisk(t, u); c.rec != another || len(c.parts) != 1 {
		t.Errorf("on disk are %d parts of %+v, want 1 of %+v", len(c.parts), c.rec, another)
	}
	must(t, u.Remove())
}

func TestPermissions(t *testing.T) {
	unixOnly(t)
	base := t.TempDir()
	must(t, os.Mkdir(filepath.Join(base, "shared"), 0o755))
	must(t, os.Chmod(filepath.Join(base, "shared"), 0o775))
	d := mustOpenDir(t, filepath.Join(base, "shared", "a", "b"), hostSystem())
	u := mustBegin(t, d, "a")
	defer u.Close()
	for path, want := range map[string]fs.FileMode{
		filepath.Join(base, "shared"): 0o775, // is as it was
		filepath.Dir(d.Path()):        0o700,
		d.Path():                      0o700,
		u.file.path:                   0o600,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has permissions %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestOpenDirSaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for dir, want := range map[string]string{
		"":                           "no directory given",
		file:                         "want a directory",
		filepath.Join(file, "below"): file,
	} {
		if _, err := OpenDir(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("OpenDir(%q): error is %v, want one that says %q", dir, err, want)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	const path = "/x/y.checkpoint"
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: path, Err: diskFull[0]}, "free some space"},
		{diskFull[1], "free some space"},
		{readOnly[0], "choose another directory"},
		{noLocks[0], "on a local disk"},
		{&fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}, "make it writable"},
	} {
		err := fail("write", path, tt.err)
		if !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("error is %q, want it to name the file once and to say %q", err, tt.want)
		}
		var pe *fs.PathError
		if cause := tt.err; errors.As(cause, &pe) && !errors.Is(err, pe.Err) || pe == nil && !errors.Is(err, cause) {
			t.Errorf("error %v does not wrap %v", err, cause)
		}
	}
}

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
	held.release(u.file.path)
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

func TestListTidiesUpAfterDeadHolders(t *testing.T) {
	d := mustOpenDir(t, t.TempDir(), hostSystem())
	must(t, os.WriteFile(d.file(testKey("died before Begin")), nil, 0o600))
	u := mustOpen(t, d, "lives")
	defer u.Close()
	held.release(u.file.path) // as another process would see it
	if entries, err := d.List(t.Context()); err != nil || len(entries) > 0 {
		t.Errorf("List: %+v, %v, want nothing", entries, err)
	}
	if files := filesIn(t, d.Path()); len(files) != 1 || files[0] != filepath.Base(u.file.path) {
		t.Errorf("%v are left, want the file that is claimed", files)
	}
}
