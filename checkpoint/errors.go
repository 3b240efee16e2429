package checkpoint

import (
	"errors"
	"fmt"
)

// Errors of opening.
var (
	// ErrInUse is returned by [Store.Open] when another holder, in this process
	// or another, has the same upload open.
	ErrInUse = errors.New("checkpoint: upload is in use by another client or process")

	// ErrDamaged is wrapped by what [Upload.Damaged] returns.
	ErrDamaged = errors.New("checkpoint: record is damaged")
)

// Errors of use.
var (
	// ErrClosed is returned by calls on a store or an upload that was closed.
	ErrClosed = errors.New("checkpoint: closed")

	// ErrNoRecord is returned by [Upload.Add] when there is no record that the part
	// could belong to: call Begin first.
	ErrNoRecord = errors.New("checkpoint: part added before Begin")

	// ErrInvalid is wrapped by the errors of [Record.Validate] and [Part.Validate].
	ErrInvalid = errors.New("checkpoint: invalid")
)

// A DamagedError is what [Upload.Damaged] returns for an upload of a [Dir].
type DamagedError struct {
	Path  string // of the file that could not be read
	Aside string // where it is now
	Cause error  // what was found and what was expected
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%v: %s: %v; it was set aside as %s", ErrDamaged, e.Path, e.Cause, e.Aside)
}

// Unwrap returns [ErrDamaged] and the cause.
func (e *DamagedError) Unwrap() []error { return []error{ErrDamaged, e.Cause} }
