package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

func TestWhatWasRemovedWhileInUseIsMadeAnew(t *testing.T) {
	unixOnly(t)
	for name, spoil := range map[string]func(d *Dir, path string) error{
		"file":                          func(_ *Dir, path string) error { return os.Remove(path) },
		"directory":                     func(d *Dir, _ string) error { return os.RemoveAll(d.path) },
		"file, with noise in its place": func(_ *Dir, path string) error { return replaced(path, []byte("noise")) },
		"file, with an old one in its place": func(_ *Dir, path string) error {
			return replaced(path, recordFileBytes(t, 3))
		},
		"end of the file": func(_ *Dir, path string) error { return os.Truncate(path, boltfile.PageSize) },
		"all of the file": func(_ *Dir, path string) error { return os.Truncate(path, 0) },
		"bytes of the file": func(_ *Dir, path string) error {
			info, err := os.Stat(path)
			return errors.Join(err, overwritten(path, make([]byte, info.Size())))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := mustOpenDir(t, filepath.Join(t.TempDir(), "checkpoints"), hostSystem())
			u := mustBegin(t, d, "a", testParts(1, 300)...)
			must(t, u.Flush(t.Context()))
			must(t, spoil(d, u.file.path))
			mustAdd(t, u, testPart(301))
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

func overwritten(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func replaced(path string, data []byte) error {
	return errors.Join(os.Remove(path), os.WriteFile(path, data, 0o600))
}

// A second Begin meets a file that was damaged while it was mapped.
func TestBeginInAFileThatWasDamagedWhileInUse(t *testing.T) {
	unixOnly(t)
	for name, spoil := range map[string]func(path string) error{
		"cut short":   func(path string) error { return os.Truncate(path, 0) },
		"overwritten": func(path string) error { return overwritten(path, make([]byte, 4*boltfile.PageSize)) },
	} {
		t.Run(name, func(t *testing.T) {
			d := mustOpenDir(t, t.TempDir(), hostSystem())
			u := mustBegin(t, d, "a", testParts(1, 300)...)
			must(t, u.Flush(t.Context()))
			must(t, spoil(u.file.path))
			second := testRecord("a")
			second.UploadID = "second"
			must(t, u.Begin(t.Context(), second))
			mustAdd(t, u, testPart(1))
			must(t, u.Close())
			u = mustOpen(t, d, "a")
			if rec, parts, _ := u.Load(); rec != second || len(parts) != 1 {
				t.Errorf("there are %d parts of %+v, want 1 of %+v", len(parts), rec, second)
			}
			must(t, u.Close())
		})
	}
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

// The same where the file was replaced meanwhile, by one that is sound. Time stands
// still: the group of the added part is not written before the file is replaced.
func TestFailedHealingIsDoneOnceMore(t *testing.T) {
	unixOnly(t)
	synctest.Test(t, func(t *testing.T) {
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
	})
}
