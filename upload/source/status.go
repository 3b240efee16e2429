package source

import (
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// statusError returns what an answer means that has another status than 206.
func statusError(status int, h http.Header) error {
	e := &answerError{text: fmt.Sprintf("the server answered %d %s", status, http.StatusText(status))}
	switch status {
	case http.StatusOK:
		e.text += " with all of the file, asked for a range"
		e.cause = upload.ErrFileChanged
	case http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		e.cause = upload.ErrFileChanged
	case http.StatusNotFound, http.StatusGone:
		e.cause = upload.ErrFileNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		e.cause = fs.ErrPermission
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		e.after = retryAfter(h)
	default:
		if status < 500 || status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported {
			e.cause = fs.ErrInvalid
			return e
		}
		e.after = retryAfter(h)
	}
	return e
}

// retryAfter returns the pause that an answer asks for, in seconds or until a time of the
// server's clock.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, ok := number(text); ok {
		return time.Duration(min(n, 1<<20)) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(until.Sub(now), 0)
}
