package source

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// An identity is what a server says of one version of a file.
type identity struct {
	size     int64
	etag     string // as the server wrote it; empty: none that is well formed
	modified string // Last-Modified, as the server wrote it; empty: none
	weak     bool   // etag is weak, or modified may be that of two versions
}

// identify returns the identity that an answer with these headers gives.
func identify(h http.Header, size int64, allowWeak bool) (identity, error) {
	id := identity{size: size}
	if etag, ok := one(h, "Etag"); ok && isETag(etag) {
		id.etag, id.weak = etag, strings.HasPrefix(etag, "W/")
	}
	if text, ok := one(h, "Last-Modified"); ok {
		if modified, err := http.ParseTime(text); err == nil {
			id.modified = text
			id.weak = id.weak || id.etag == "" && isRecent(modified, h)
		}
	}
	switch {
	case size == 0: // all versions of this size are the same
		return identity{}, nil
	case id.etag == "" && id.modified == "":
		return identity{}, unusable("the server gives neither an ETag nor the time of the last modification: another version could not be noticed")
	case id.weak && !allowWeak && id.etag != "":
		return identity{}, unusable("its ETag %s is weak: versions with other bytes may have the same; see AllowWeak", id.etag)
	case id.weak && !allowWeak:
		return identity{}, unusable("it was modified within the last second, at %s: a change would not be noticed; try again in a second, or see AllowWeak", id.modified)
	}
	return id, nil
}

// isRecent reports whether a file was modified so shortly before the answer that another
// change may get the same time, which counts in seconds (RFC 9110, 8.8.2.2).
func isRecent(modified time.Time, h http.Header) bool {
	date, err := http.ParseTime(h.Get("Date"))
	return err == nil && date.Sub(modified) < time.Second
}

// isETag reports whether text has the form of an entity tag (RFC 9110, 8.8.3).
func isETag(text string) bool {
	opaque := strings.TrimPrefix(text, "W/")
	return len(opaque) >= 2 && opaque[0] == '"' && strings.IndexByte(opaque[1:], '"') == len(opaque)-2 &&
		!strings.ContainsFunc(opaque, func(r rune) bool { return r < 0x21 || r == 0x7f })
}

// one returns the value of a header that is there exactly once.
func one(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// strong reports whether two versions with this identity have the same bytes.
func (id identity) strong() bool { return id.etag != "" && !id.weak || id.size == 0 }

// fingerprint is the same on every machine, whatever the URL.
func (id identity) fingerprint() string {
	switch {
	case id.size == 0:
		return "http, 0 bytes"
	case id.etag != "":
		return fmt.Sprintf("http, %d bytes, ETag %s", id.size, id.etag)
	}
	return fmt.Sprintf("http, %d bytes, modified %s", id.size, id.modified)
}

// demand sets the headers that ask for this version and no other. A weak ETag is never
// equal to itself there (RFC 9110, 13.1.1).
func (id identity) demand(h http.Header) {
	switch {
	case id.etag != "" && !id.weak:
		h.Set("If-Match", id.etag)
	case id.modified != "":
		h.Set("If-Unmodified-Since", id.modified)
	}
}

// compare returns an error unless an answer with these headers is of this version.
func (id identity) compare(h http.Header) error {
	name, want := "ETag", id.etag
	if want == "" {
		name, want = "Last-Modified", id.modified
	}
	switch got, ok := one(h, name); {
	case !ok:
		return changed("the answer does not have one %s, the source has %s", name, want)
	case got != want:
		return changed("the %s is %s, it was %s", name, got, want)
	}
	return nil
}

// checkPart returns an error unless an answer of status 206 has the n bytes from off on of
// the version id. length is that of its body, or -1.
func checkPart(h http.Header, length, off, n int64, id identity) error {
	if err := plain(h); err != nil {
		return err
	}
	first, last, total, err := contentRange(h)
	switch {
	case err != nil:
		return err
	case total != id.size:
		return changed("it has %d bytes, it had %d", total, id.size)
	case first != off || last != off+n-1:
		return unusable("the server answered with the bytes %d-%d, asked for %d-%d", first, last, off, off+n-1)
	}
	if err := id.compare(h); err != nil {
		return err
	}
	if length >= 0 && length != n {
		return unusable("the body of the answer has %d bytes, asked for %d", length, n)
	}
	return nil
}

// plain returns an error if the body is not the bytes themselves.
func plain(h http.Header) error {
	for _, coding := range h.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return unusable("the answer is encoded (%s), although that was declined", coding)
		}
	}
	if strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "multipart/byteranges") {
		return unusable("the answer is multipart/byteranges, asked for one range")
	}
	return nil
}

// contentRange reads the header of the form "bytes 0-99/1234" (RFC 9110, 14.4).
func contentRange(h http.Header) (first, last, total int64, err error) {
	text, ok := one(h, "Content-Range")
	if !ok {
		return 0, 0, 0, unusable("the answer does not have one Content-Range")
	}
	bad := unusable("the answer has Content-Range %q, want bytes FIRST-LAST/SIZE", text)
	unit, rest, _ := strings.Cut(text, " ")
	section, size, ok := strings.Cut(rest, "/")
	from, to, ok2 := strings.Cut(section, "-")
	if !ok || !ok2 || !strings.EqualFold(unit, "bytes") {
		return 0, 0, 0, bad
	}
	for _, p := range []struct {
		text string
		to   *int64
	}{{from, &first}, {to, &last}, {size, &total}} {
		if *p.to, ok = number(p.text); !ok {
			return 0, 0, 0, bad
		}
	}
	if last < first || last >= total {
		return 0, 0, 0, bad
	}
	return first, last, total, nil
}

// number reads a number of digits only.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && text[0] != '+' && text[0] != '-'
}

// An answerError is an answer that does not have what was asked for.
type answerError struct {
	text  string
	cause error         // nil: it may pass
	after time.Duration // that the server asks to wait
}

func (e *answerError) Error() string {
	if e.cause == upload.ErrFileChanged || e.cause == upload.ErrFileNotExist {
		return e.cause.Error() + ": " + e.text
	}
	return e.text
}

func (e *answerError) Unwrap() error { return e.cause }

// RetryAfter returns how long the server asks to wait; see [upload.Source].
func (e *answerError) RetryAfter() time.Duration { return e.after }

// unusable is an error that another request would not mend.
func unusable(format string, args ...any) error {
	return &answerError{text: fmt.Sprintf(format, args...), cause: errors.ErrUnsupported}
}

func changed(format string, args ...any) error {
	return &answerError{text: fmt.Sprintf(format, args...), cause: upload.ErrFileChanged}
}
