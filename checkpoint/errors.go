package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Errors of opening.
var (
	// ErrInUse is returned by [Store.Open] when another holder, in this process
	// or another, has the same upload open. A store that knows who returns an
	// [InUseError].
	ErrInUse = errors.New("checkpoint: upload is in use by another client or process")

	// ErrDamaged is wrapped by what [Claim.Damaged] returns.
	ErrDamaged = errors.New("checkpoint: record is damaged")
)

// Errors of use.
var (
	// ErrLost is returned by the calls of a [Held] claim that is gone: its lease ended,
	// or another holder has it. It is no failure to write, and never tolerated: the
	// upload belongs to somebody else, and whoever gets this error sends nothing more.
	ErrLost = errors.New("checkpoint: claim lost")

	// ErrClosed is returned by calls on a store or an upload that was closed.
	ErrClosed = errors.New("checkpoint: closed")

	// ErrNoRecord is returned by [Claim.Add] when there is no record that the part
	// could belong to: call Begin first.
	ErrNoRecord = errors.New("checkpoint: part added before Begin")

	// ErrInvalid is wrapped by the errors of [Record.Validate] and [Part.Validate].
	ErrInvalid = errors.New("checkpoint: invalid")
)

// A DamagedError is what [Claim.Damaged] returns for an upload of a [Dir].
type DamagedError struct {
	Path  string // of the file that could not be read
	Aside string // where it is now
	Cause error  // what was found and what was expected
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%v: %s: %v; moved to %s", ErrDamaged, e.Path, e.Cause, e.Aside)
}

// Unwrap returns [ErrDamaged] and the cause.
func (e *DamagedError) Unwrap() []error { return []error{ErrDamaged, e.Cause} }

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
