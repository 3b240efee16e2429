package upload

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// A FileID identifies a file in a client's list. It is never given to another file.
type FileID int64

// String returns the ID as a decimal number.
func (id FileID) String() string { return strconv.FormatInt(int64(id), 10) }

// A FileInfo is a snapshot of a file in the list. It goes through JSON and back, but for its
// Tag, and for what [Error] says of its own JSON.
type FileInfo struct {
	ID       FileID
	Path     string
	Endpoint string
	Bucket   string
	Object   string
	State    FileState

	Size     int64 // bytes; -1 for a Reader without File.Size that has not ended yet
	Uploaded int64 // bytes that the server has acknowledged, of this run and earlier ones
	InFlight int64 // bytes handed to connections and not yet acknowledged
	Sent     int64 // bytes handed to connections in this run, retries included

	UploadID string // of the upload in parts; empty for files that fit into one
	PartSize int64  // of that upload
	VideoID  string // of ApsaraVideo VOD, by an [Authorizer] or SetUploadAuthAndAddress
	MediaID  string // of an image there
	MediaURL string // where that can be seen
	Info     *Info  // as it was added
	Tag      any    `json:"-" xml:"-"` // as it was added

	// Waiting is what the file, or a request of it, waits for; nil: nothing. If it waits
	// for several things, it is the one that it has waited for longest.
	Waiting *Waiting

	Started time.Time // zero: not yet
	Ended   time.Time // zero: not yet
	Err     *Error    // why it failed; nil: it did not
	Result  *Result   // once it succeeded
}

// Format writes the fields, and of Tag the name of its type alone, whatever the verb: it
// may hold a secret.
func (f FileInfo) Format(s fmt.State, _ rune) {
	type fields FileInfo
	f.Tag = hide(f.Tag)
	fmt.Fprintf(s, "%+v", fields(f))
}

// hidden is printed in place of a value that may hold a secret.
type hidden string

// hide returns the name of v's type; nil for nil.
func hide(v any) any {
	if v == nil {
		return nil
	}
	return hidden(fmt.Sprintf("%T", v))
}

// Credentials makes hidden an [sts.Provider], so that it can be printed in its place.
func (hidden) Credentials(context.Context) (sts.Credentials, error) {
	return sts.Credentials{}, errors.ErrUnsupported
}
