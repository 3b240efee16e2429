package wire

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// statusCallbackFailed is the status of an answer that says: the object is stored,
// and the callback to the application's server failed (OSS documentation, Callback).
const statusCallbackFailed = http.StatusNonAuthoritativeInfo

// An Error is what a call that failed returns, always as *Error. Its text is one
// line, and has no secret in it. What the call was about, bucket, object and upload
// ID, is not in the text: the caller knows, and would print it twice.
type Error struct {
	Op         string // Put, Initiate, UploadPart, Complete, Abort, ListParts, Head
	Class      Class
	Bucket     string
	Object     string
	UploadID   string
	Part       int    // 0: not about a part
	Status     int    // 0: no answer
	Code       string // OSS error code; empty if the answer had none
	Message    string // what the server said
	RequestID  string
	EC         string
	Endpoint   string        // host that the server says to use instead; empty if it does not
	Delay      time.Duration // how long the server asks to wait, up to 5 min; 0: it does not say
	Generation uint64        // of the credentials that the request was signed with
	Unanswered bool          // the whole request was acknowledged, and no answer came within StallTimeout
	Unsent     bool          // the server got nothing: there was no connection yet; false if that is not known
	Source     bool          // Err is of the source of the body, and not of the connection
	Err        error         // cause; nil if the answer says it all
}

// Error returns what failed, and why:
//
//	UploadPart part 7: 403 AccessDenied: no right to … (request ID 6556…, EC 0003-…)
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Part != 0 {
		b.WriteString(" part " + strconv.Itoa(e.Part))
	}
	if e.Status != 0 {
		b.WriteString(": " + strconv.Itoa(e.Status) + " ")
		if e.Code != "" {
			b.WriteString(oneLine(e.Code))
		} else {
			b.WriteString(statusText(e.Status))
		}
	}
	if e.Message != "" && e.Message != e.Code {
		b.WriteString(": " + oneLine(e.Message))
	}
	if e.Err != nil {
		b.WriteString(": " + oneLine(target.Separated(e.Err)))
	}
	if ids := e.ids(); ids != "" {
		b.WriteString(" (" + ids + ")")
	}
	return b.String()
}

// ids returns what the service's support asks for.
func (e *Error) ids() string {
	var ids []string
	for _, f := range [...]struct{ name, value string }{
		{"request ID", e.RequestID}, {"EC", e.EC},
	} {
		if f.value != "" {
			ids = append(ids, f.name+" "+oneLine(f.value))
		}
	}
	return strings.Join(ids, ", ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the request was ended because it took too long.
func (e *Error) Timeout() bool {
	if e.Status == http.StatusRequestTimeout || e.Code == "RequestTimeout" {
		return true
	}
	return isTimeout(e.Err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// Stored reports whether the object is stored although the call failed: OSS stores
// it first and calls the application's server then, and answers 203 CallbackFailed
// if that did not work. The call's result is filled in as far as the answer goes.
func (e *Error) Stored() bool {
	return e.Status == statusCallbackFailed && (e.Op == opPut || e.Op == opComplete)
}

func statusText(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "unknown status"
}

// ErrNoCRC is the error of an answer without a CRC64 where [Options.RequireCRC] is set.
var ErrNoCRC = errors.New("the server's answer has no CRC64 (x-oss-hash-crc64ecma)")
