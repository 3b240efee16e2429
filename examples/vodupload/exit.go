package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
)

// The exit codes. A code that is not among them is a failure, too.
const (
	exitOK          = 0   // all is done, or there was nothing to do
	exitFailed      = 1   // some files failed, or anything else did
	exitUsage       = 2   // the command line or the configuration is wrong
	exitNotFound    = 3   // a source is not there
	exitDenied      = 4   // no credentials, or they lack a right; a file that may not be read
	exitTemporary   = 5   // stopped, or gave up on what may pass: run it again to resume
	exitIntegrity   = 6   // bytes are not what they should be
	exitInUse       = 7   // another process works on the same upload
	exitInterrupted = 130 // by Ctrl-C; checkpoints are kept
)

// exitCodes is the text of the help page.
const exitCodes = `Exit codes:
  0    all done, or nothing to do
  1    some files failed
  2    the command line or the configuration is wrong
  3    a source does not exist
  4    no credentials, or they lack a right
  5    stopped, or gave up on what may pass: run the command again to resume
  6    bytes are not what they should be
  7    another process works on the same upload
  130  interrupted by Ctrl-C: run the command again to resume
`

// A usageError is about the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// errTooLong is the cause of a run that --max-duration has ended.
var errTooLong = errors.New("the time of --max-duration is over")

// failures are what went wrong with one source or file each.
type failures []error

func (f failures) Error() string {
	if len(f) == 1 {
		return f[0].Error()
	}
	return fmt.Sprintf("%d failed", len(f))
}

func (f failures) Unwrap() []error { return f }

// exitCode returns the exit code for the error of a run. Where several files failed, a
// broken object counts most; otherwise all have to agree, or "some files failed" is what
// can be said of them.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	var many failures
	if !errors.As(err, &many) || len(many) == 0 {
		return ownCode(err)
	}
	code := ownCode(many[0])
	for _, one := range many {
		switch c := ownCode(one); {
		case c == exitIntegrity:
			return exitIntegrity
		case c != code:
			code = exitFailed
		}
	}
	return code
}

// ownCode goes by what the error is, or wraps.
func ownCode(err error) int {
	var usage usageError
	var configuration *config.Error
	var by errInterrupted
	switch {
	case errors.As(err, &by) && by.signal == os.Interrupt:
		return exitInterrupted
	case errors.As(err, &by), errors.Is(err, errTooLong):
		return exitTemporary
	case errors.As(err, new(deniedError)):
		return exitDenied
	case errors.As(err, &usage), errors.As(err, &configuration):
		return exitUsage
	case errors.Is(err, upload.ErrIntegrity), errors.Is(err, upload.ErrNoCRC):
		return exitIntegrity
	case errors.Is(err, upload.ErrInUse):
		return exitInUse
	case errors.Is(err, upload.ErrNoCredentials), errors.Is(err, upload.ErrTokenExpired),
		errors.Is(err, sts.ErrNotConfigured), errors.Is(err, sts.ErrInvalidCredentials), errors.Is(err, fs.ErrPermission):
		return exitDenied
	case errors.Is(err, upload.ErrFileNotExist), errors.Is(err, upload.ErrObjectNotExist),
		errors.Is(err, fleet.ErrJobNotExist), errors.Is(err, fs.ErrNotExist):
		return exitNotFound
	}
	return codeOfAnswer(err)
}

// codeOfAnswer goes by what the server said, or that it said nothing.
func codeOfAnswer(err error) int {
	var e *upload.Error
	if !errors.As(err, &e) {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return exitTemporary
		}
		return exitFailed
	}
	switch {
	case e.Code == upload.CodeStopped, e.Code == upload.CodeClosed, e.Code == upload.CodeContextEnded:
		return exitTemporary
	case e.Status == 401, e.Status == 403:
		return exitDenied
	case e.Status >= 500, e.Status == 429, e.Code == upload.CodeClientException && e.Op != "upload":
		return exitTemporary
	}
	return exitFailed
}
