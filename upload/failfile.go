package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// FailFile ends a file with an error of the caller's: where OnStarted cannot get a
// destination or an authorization for it, for example. Its requests are interrupted, and
// its checkpoint is kept as after any failure, so that ResumeFile, or the same file in a
// later run, resumes. OnFailed, WaitFile, Upload and FileInfo.Err have an [*Error] with
// the code [CodeFailFile]; [errors.Is] and [errors.As] find err in it.
//
// FailFile does not wait for the end. It returns [ErrState] for a file that has ended. If
// it is called several times, the first err counts; a CancelFile that comes after it still
// cancels the file. A file whose last request has just succeeded still succeeds.
func (c *Client) FailFile(id FileID, err error) error {
	if err == nil {
		return fmt.Errorf("%w: FailFile: err is nil: say why the file fails", ErrMissingArgument)
	}
	// Its methods may panic, as those of a nil *fs.PathError do, and they are called later.
	cause := &failure{transfer.Protect("the error given to FailFile", func() error { return err })}
	return c.decideOn(id, "FailFile", func(l *filelist.List) error { return l.Fail(filelist.ID(id), cause) })
}
