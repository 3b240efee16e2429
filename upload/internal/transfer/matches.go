package transfer

import (
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// codeExists is the answer to a request that forbids to overwrite (OSS
// documentation, PutObject and CompleteMultipartUpload).
const codeExists = "FileAlreadyExists"

// clockSlack is how far the clocks of the service's machines may be apart. A server
// reports whole seconds.
const clockSlack = time.Minute

// The types of objects (OSS documentation, HeadObject: x-oss-object-type).
const (
	typeNormal    = "Normal"    // made by PutObject
	typeMultipart = "Multipart" // made by CompleteMultipartUpload
)

// An object is what a request that was not answered would have made.
type object struct {
	size  int64
	crc   uint64
	kind  string
	since time.Time // when the upload began, by the server's clock; zero: not known
}

// matches reports whether the server has the object that was meant: the bytes are the
// same, and it was made in the same way, and not before the upload began. One that
// is older has other properties than those that were asked for, and says nothing of
// the upload. What the server does not report counts as a match, except for the bytes.
func matches(info wire.ObjectInfo, want object) bool {
	switch {
	case info.Size != want.size || !info.HasCRC64 || info.CRC64 != want.crc:
		return false
	case info.Type != "" && info.Type != want.kind:
		return false
	case info.LastModified.IsZero():
		return true
	}
	return !info.LastModified.Before(want.since.Add(-clockSlack))
}

// ambiguous reports whether the server may have done the work although it did not
// say so: the connection broke, or a server failed while answering.
func ambiguous(we *wire.Error) bool {
	switch {
	case we.Unsent, we.Class == wire.Starved:
		return false
	case we.Status == 0:
		return we.Class != wire.Permanent // else it was not sent
	case we.Status < 300:
		return !(we.Stored() && we.Class == wire.Permanent) // that says it has
	}
	return we.Status == http.StatusRequestTimeout || we.Status >= 500
}
