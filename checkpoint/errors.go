package checkpoint

import (
	"errors"
	"fmt"
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
