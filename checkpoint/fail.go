package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

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
