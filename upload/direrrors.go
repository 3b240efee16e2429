package upload

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// ErrNotRegular is the error of AddDir for an entry of a folder that is neither a regular
// file nor a folder. Its text says what it is.
var ErrNotRegular = transfer.ErrNotRegular

// An AddDirError says why [Client.AddDir] has not added one entry of a folder.
type AddDirError struct {
	Path string // of the file or folder
	Err  error
}

// Error returns the path and the cause in one line.
func (e *AddDirError) Error() string {
	var named *fs.PathError
	var twice *filelist.DuplicateError
	if errors.As(e.Err, &named) && named.Path == e.Path || errors.As(e.Err, &twice) || errors.Is(e.Err, ErrNotRegular) {
		return target.Line(fmt.Sprintf("AddDir: %v", e.Err)) // which has the path
	}
	return target.Line(fmt.Sprintf("AddDir: %s: %v", e.Path, e.Err))
}

// Unwrap returns the cause.
func (e *AddDirError) Unwrap() error { return e.Err }

// AddDirErrors is what [Client.AddDir] returns when entries of a folder could not be
// added: one error for each, in the order in which they were looked at. errors.Is and
// errors.As look into all of them.
type AddDirErrors []*AddDirError

// Error says how many entries were not added, and why the first few were not.
func (e AddDirErrors) Error() string {
	return strings.Join(firstFew(e, " were not added"), "; ")
}

// Unwrap returns the errors of the entries.
func (e AddDirErrors) Unwrap() []error { return causes(e) }

// notRead returns the error of a folder that cannot be read. The error of package os
// names only the path below the folder that was opened.
func notRead(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = &fs.PathError{Op: inner.Op, Path: path, Err: inner.Err}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrFileNotExist, err)
	}
	return err
}
