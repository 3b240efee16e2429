package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A system is what the store asks of the operating system where the order of calls,
// or their failing, is what matters. Tests put others in its place.
type system struct {
	closeFirst bool // a file has to be closed before it is renamed or removed
	openFile   func(name string, flag int, perm fs.FileMode) (*os.File, error)
	remove     func(name string) error
	sync       func(f *os.File) error
	syncDir    func(dir string) error
	commit     func(write func() error) error // of one transaction
}

func hostSystem() system {
	return system{closeFirst: closeFirst, openFile: os.OpenFile, remove: os.Remove, sync: (*os.File).Sync, syncDir: syncDir,
		commit: func(write func() error) error { return write() }}
}

// fail says what could not be done with which file, why, and what to do about it.
func fail(doing, path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		path, err = pe.Path, pe.Err
	}
	return fmt.Errorf("checkpoint: %s %s: %w%s", doing, path, err, advice(err))
}

func advice(err error) string {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case slices.ContainsFunc(diskFull, is):
		return " (free some space, or choose another directory for checkpoints)"
	case slices.ContainsFunc(fileLimit, is):
		return " (a limit on the size of files is in the way: raise it, or choose another directory for checkpoints)"
	case slices.ContainsFunc(readOnly, is), slices.ContainsFunc(notDir, is):
		return " (choose another directory for checkpoints)"
	case slices.ContainsFunc(noLocks, is):
		return " (this file system has no locks: choose a directory on a local disk for checkpoints)"
	case is(fs.ErrPermission):
		return " (make it writable for this user, or choose another directory for checkpoints)"
	}
	return ""
}

// makeDir makes dir and its parents, for this user alone, and makes durable that
// they are there. It leaves those that exist as they are.
func (s *system) makeDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("checkpoint: %s is not a directory (%v): choose another directory for checkpoints", dir, info.Mode())
	case !errors.Is(err, fs.ErrNotExist):
		return fail("look at", dir, err)
	}
	parent := filepath.Dir(dir)
	if parent == dir {
		return fail("look at", dir, err)
	}
	if err := s.makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fail("make", dir, err)
	}
	return s.syncParent(parent)
}

// syncParent makes durable that a directory was made in parent. One that may be
// written to but not read, as some temporary directories are, cannot be synced.
func (s *system) syncParent(parent string) error {
	if err := s.syncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
		return fail("sync", parent, err)
	}
	return nil
}

// isAt reports whether f is the file at path: not one that was removed from there,
// or one that a link leads to.
func isAt(path string, f *os.File) bool {
	at, err := os.Lstat(path)
	if err != nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && os.SameFile(at, info)
}
