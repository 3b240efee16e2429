package upload

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// Errors returned by calls with bad arguments or in the wrong state.
var (
	// ErrMissingArgument is returned for a required value that is empty.
	ErrMissingArgument = errors.New("upload: missing argument")

	// ErrInvalidArgument is returned for a value that is out of its range, or that
	// OSS would refuse.
	ErrInvalidArgument = errors.New("upload: invalid argument")

	// ErrFileNotExist is returned for a path without a readable regular file, and for a
	// [FileID] that is not in the list.
	ErrFileNotExist = filelist.ErrNotListed

	// ErrFileAlreadyExist is returned for the same source, endpoint, bucket and object
	// twice in the list. A file of the system is the same whatever path leads to it:
	// another spelling, a symbolic link, or a hard link (but not on Windows). A path in
	// another case is another file, even on a file system that ignores case.
	ErrFileAlreadyExist = errors.New("upload: file is in the list already")

	// ErrState is returned for a call that the state of the client or of the file
	// does not allow. The text names that state.
	ErrState = filelist.ErrState

	// ErrClosed is returned by every call after Close, and fails the files that
	// were started and could not end before it.
	ErrClosed = filelist.ErrClosed
)

// What ends an upload.
var (
	// ErrFileChanged is returned when the source has changed since its upload began.
	// The upload is aborted; a file of one part is not stored.
	ErrFileChanged = transfer.ErrChanged

	// ErrSizeMismatch is returned when a Reader has fewer or more bytes than File.Size
	// says. No object is made of it.
	ErrSizeMismatch = transfer.ErrSizeMismatch

	// ErrInUse is returned when another client or process uploads the same source
	// to the same destination in parts, and did not end within Options.ClaimWait. Files of
	// one part claim nothing, unless the store is [checkpoint.Shared]. A
	// [checkpoint.InUseError] in it names the holder, where the store knows it.
	ErrInUse = transfer.ErrInUse

	// ErrClaimLost is returned when the file's claim in a shared store was lost while it
	// was uploaded: its lease ended without a renewal, since this machine was stopped or
	// cut off, and another client may have the upload now, or have ended it. From then on
	// nothing is sent for the file that could change an object or an upload. It is
	// [checkpoint.ErrLost].
	ErrClaimLost = checkpoint.ErrLost

	// ErrIntegrity is returned when the server made an object whose CRC64 is not
	// that of the source. The object must not be used.
	ErrIntegrity = transfer.ErrIntegrity

	// ErrNoCRC is returned with Options.RequireCRC for an answer without a CRC64. The
	// part or the object may be stored all the same.
	ErrNoCRC = transfer.ErrNoCRC

	// ErrCheckpoint is returned when no checkpoint can be kept: no disk space, no
	// permission. See Options.CheckpointsOptional.
	ErrCheckpoint = transfer.ErrCheckpoint

	// ErrTokenExpired is returned when the token expired, and no token that the server
	// accepts was given within Options.TokenWait, or the Provider failed with an error
	// that is [sts.Permanent]. The checkpoint is kept.
	ErrTokenExpired = credentials.ErrTokenExpired

	// ErrNoCredentials is returned when there never were usable credentials: none were
	// given within Options.TokenWait, those of the Provider are incomplete, the Provider
	// failed with an error that is [sts.Permanent], or nobody could give any.
	ErrNoCredentials = credentials.ErrNoCredentials

	// ErrNoDestination is returned when a file without a destination got none
	// within Options.TokenWait.
	ErrNoDestination = errors.New("upload: no destination")

	// ErrAnswerLost is returned when a video may have been created for the file, but its
	// ID is lost: the answer did not arrive, or the process was killed before it did.
	// ResumeFile, or the next Upload, creates another.
	ErrAnswerLost = media.ErrAnswerLost

	// ErrNotRenewable is for an [Authorizer] to return: what was created at the service
	// is gone, or is of a kind that cannot be resumed.
	ErrNotRenewable = credentials.ErrNotRenewable

	// ErrObjectExists is returned with IfExists Fail for a file whose object exists.
	ErrObjectExists = errors.New("upload: object exists")

	// ErrObjectNotExist is returned by Stat for an object that is not there.
	ErrObjectNotExist = errors.New("upload: object does not exist")

	// ErrGroup is returned for a file of a [Group] if a file of a lower rank, which its
	// text names, has failed or was canceled.
	ErrGroup = filelist.ErrGroup

	// ErrStopped is returned by Wait, WaitFile and Upload when Stop, or the end of Start's
	// context, came first. The checkpoints are kept.
	ErrStopped = errors.New("upload: stopped")

	// ErrCanceled is returned by Upload and WaitFile when CancelFile or DeleteFile came first.
	ErrCanceled = errors.New("upload: canceled")
)

// invalid returns err as an [ErrInvalidArgument] of a field of owner, for example
// "File"; nil for nil.
func invalid(owner string, err error) error {
	if err == nil {
		return nil
	}
	var field *target.FieldError
	if errors.As(err, &field) {
		return fmt.Errorf("%w: %s.%s: %w", ErrInvalidArgument, owner, field.Field, field.Err)
	}
	return fmt.Errorf("%w: %s: %w", ErrInvalidArgument, owner, err)
}

// errCallerEnded is the cause of the end of a file of Upload whose context has ended.
var errCallerEnded = errors.New("the caller's context ended")

// errPaused is the cause of a run's interruption by Pause.
var errPaused = errors.New("upload: paused")

// Codes of errors that have none from OSS. Where the clients for Android, iOS and the
// web have a code of the same meaning, it has the same name.
const (
	CodeFileNotExist     = "FileNotExist"
	CodeFileChanged      = "FileChanged"
	CodeSizeMismatch     = "SizeMismatch" // see [ErrSizeMismatch]
	CodeTokenExpired     = "UploadTokenExpired"
	CodePermissionDenied = "PermissionDenied" // no permission to read the file or to keep a checkpoint
	CodeClientException  = "ClientException"  // the network, and anything else that is not an answer of the server
	CodeInUse            = "UploadInUse"
	CodeClaimLost        = "ClaimLost" // see [ErrClaimLost]
	CodeIntegrity        = "InvalidObjectCRC64"
	CodeNoCRC            = "NoCRC64" // see [ErrNoCRC]
	CodeNoCredentials    = "NoCredentials"
	CodeNoDestination    = "NoDestination"
	CodeFailFile         = "FailFile"          // by FailFile: a checkpoint is kept
	CodeStopped          = "Stopped"           // by Stop, or the end of Start's context: a checkpoint is kept
	CodeCanceled         = "Canceled"          // by CancelFile or DeleteFile
	CodeContextEnded     = "ContextEnded"      // of Upload's caller: a checkpoint is kept
	CodeClosed           = "ClientClosed"      // a checkpoint is kept
	CodeAnswerLost       = "AnswerLost"        // of the media service: see [ErrAnswerLost]
	CodeGroup            = "GroupIncomplete"   // see [ErrGroup]
	CodeObjectExists     = "FileAlreadyExists" // OSS's own; see [ErrObjectExists]
)

// An Error says why one file failed. errors.Is finds the sentinels of this package and
// the causes in it.
type Error struct {
	// Op is the request that failed, by its name at OSS: PutObject,
	// InitiateMultipartUpload, UploadPart, CompleteMultipartUpload,
	// AbortMultipartUpload, ListParts, ListMultipartUploads, ListObjectsV2 or HeadObject;
	// "upload" if it was no request.
	Op        string
	FileID    FileID
	Path      string // of the source; empty if it is about none: see Stat
	Bucket    string
	Object    string
	UploadID  string // empty before there was one
	Part      int    // 0: not about a part
	Code      string // of OSS, or one of the Code constants
	Status    int    // HTTP status; 0: the server did not answer
	RequestID string // for Alibaba Cloud's support
	Err       error  // the cause
}

// Error returns all that is known in one line, each fact once and no secret, and what
// to do about it where that is known.
func (e *Error) Error() string {
	if e == nil {
		return "<nil>"
	}
	var b strings.Builder
	switch {
	case e.Path == "" && e.Bucket != "": // it is about no source
		fmt.Fprintf(&b, "look at %s/%s", e.Bucket, e.Object)
	case e.Bucket == "":
		b.WriteString("upload " + e.Path)
	default:
		fmt.Fprintf(&b, "upload %s to %s/%s", e.Path, e.Bucket, e.Object)
	}
	if e.UploadID != "" {
		fmt.Fprintf(&b, " (upload ID %s)", e.UploadID)
	}
	var we *transfer.Error
	if !errors.As(e.Err, &we) || we.Code != e.Code { // otherwise its text has the code
		b.WriteString(": " + e.Code)
	}
	if e.Err != nil {
		b.WriteString(": " + target.Text(e.Err))
	}
	if todo := advice(e); todo != "" {
		b.WriteString("; " + todo)
	}
	return target.Line(b.String())
}

// Unwrap returns the cause. It is nil for the nil error of a file that has not failed.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Is makes an [ErrObjectExists] of OSS's code for it, and an [ErrObjectNotExist] of the
// answer that says so.
func (e *Error) Is(target error) bool {
	switch {
	case e == nil:
		return false
	case target == ErrObjectNotExist:
		return e.Op == "HeadObject" && e.Status == http.StatusNotFound && e.Code != "NoSuchBucket"
	}
	return target == ErrObjectExists && e.Code == CodeObjectExists
}

// newError wraps the error of a step as the *Error of f. Under the client's lock, err is an
// *Error, judged, a *failure, or made of errors of this module.
func newError(f *FileInfo, err error) *Error {
	if e, ok := err.(*Error); ok && e.FileID == f.ID {
		return e
	}
	e := &Error{Op: "upload", FileID: f.ID, Path: f.Path, Bucket: f.Bucket, Object: f.Object, UploadID: f.UploadID, Err: err}
	if j, ok := err.(*judged); ok {
		e.Code, e.Err = j.code, j.err
		return e
	}
	if given := (*failure)(nil); errors.As(err, &given) { // then what else is in err is about something of the user's
		e.Code = CodeFailFile
		return e
	}
	if known := (*Error)(nil); errors.As(err, &known) && known.FileID == f.ID {
		return known
	}
	e.Code = codeOf(err)
	if we := (*transfer.Error)(nil); errors.As(err, &we) {
		e.Op, e.Part, e.Status, e.RequestID = we.Op, we.Part, we.Status, we.RequestID
	}
	return e
}

// A judged error is a cause with its code, which is not asked for under the client's lock:
// errors of users may be of types whose methods call the client.
type judged struct {
	err  error
	code string
}

func judge(err error) *judged { return &judged{err, codeOf(err)} }

func (j *judged) Error() string { return j.err.Error() }
func (j *judged) Unwrap() error { return j.err }

// codeOf returns the code of an error. A sentinel is the nearer cause, and takes
// precedence over the server's code.
func codeOf(err error) string {
	for _, c := range []struct {
		is   error
		code string
	}{
		{ErrGroup, CodeGroup},
		{ErrClaimLost, CodeClaimLost},
		{ErrFileChanged, CodeFileChanged},
		{ErrSizeMismatch, CodeSizeMismatch},
		{ErrTokenExpired, CodeTokenExpired},
		{ErrNoCredentials, CodeNoCredentials},
		{ErrNoDestination, CodeNoDestination},
		{ErrInUse, CodeInUse},
		{ErrIntegrity, CodeIntegrity},
		{ErrNoCRC, CodeNoCRC},
		{ErrClosed, CodeClosed},
		{ErrStopped, CodeStopped},
		{ErrCanceled, CodeCanceled},
		{errCallerEnded, CodeContextEnded},
		{ErrAnswerLost, CodeAnswerLost},
		{ErrFileNotExist, CodeFileNotExist},
	} {
		if errors.Is(err, c.is) {
			return c.code
		}
	}
	switch {
	case isOfFile(err, fs.ErrPermission):
		return CodePermissionDenied
	case isOfFile(err, fs.ErrNotExist):
		return CodeFileNotExist
	}
	var we *transfer.Error
	if errors.As(err, &we) && we.Code != "" {
		return we.Code
	}
	return CodeClientException
}

// isOfFile reports whether err is target and about a file. Errors of a connection have
// the same numbers: a firewall refuses one with EACCES or EPERM (connect(2)).
func isOfFile(err, target error) bool {
	switch e := err.(type) {
	case *net.OpError:
		return false
	case *transfer.Error:
		if !e.Source {
			return false
		}
	}
	if err == target {
		return true
	}
	if e, ok := err.(interface{ Is(error) bool }); ok && e.Is(target) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return isOfFile(e.Unwrap(), target)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), func(err error) bool { return isOfFile(err, target) })
	}
	return false
}

// Errors is what Wait returns when files failed: one error for each, in the order
// of the list. errors.Is and errors.As look into all of them.
type Errors []*Error

// Error says how many files failed, and why the first few did.
func (e Errors) Error() string {
	return strings.Join(append([]string{counted(len(e), "file failed", "files failed")}, firstFew(e, "")...), "; ")
}

// Unwrap returns the errors of the files.
func (e Errors) Unwrap() []error { return causes(e) }

// counted returns a number with its noun.
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// firstFew returns the texts of the first errors, and how many more there are.
func firstFew[E error](errs []E, rest string) (texts []string) {
	const shown = 3
	for _, err := range errs[:min(shown, len(errs))] {
		texts = append(texts, err.Error())
	}
	if len(errs) > shown {
		texts = append(texts, fmt.Sprintf("and %d more%s", len(errs)-shown, rest))
	}
	return texts
}

func causes[E error](errs []E) []error {
	all := make([]error, len(errs))
	for i, err := range errs {
		all[i] = err
	}
	return all
}

// A failure is an error that FailFile was given. It is a pointer, since errors of users
// may be of types that cannot be compared.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }
