package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// ErrTooLarge is returned for a body beyond its limit.
var ErrTooLarge = errors.New("the body is too large")

// Body reads the body of r, at most limit bytes, and puts what it read back, so that
// r.Body can be read again.
func Body(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, fmt.Errorf("%w: got %d bytes, want at most %d", ErrTooLarge, r.ContentLength, limit)
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: got more than %d bytes", ErrTooLarge, limit)
	}
	_ = r.Body.Close()
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// Header returns the value of a header that has to be there once. Of two, a proxy and the
// program behind it may take different ones.
func Header(h http.Header, name string) (string, error) {
	values := h.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", fmt.Errorf("it has no header %s", name)
	case len(values) > 1:
		return "", fmt.Errorf("it has %d headers %s, want one", len(values), name)
	}
	return values[0], nil
}

// Hurry bounds the time in which the body has to come, where the connection can do that.
// The returned function takes the bound away. It is for after the body has been read: what
// is left of one that was not, the server reads before it answers.
func Hurry(w http.ResponseWriter, within time.Duration) (calm func()) {
	c := http.NewResponseController(w)
	if c.SetReadDeadline(time.Now().Add(within)) != nil {
		return func() {}
	}
	return func() { _ = c.SetReadDeadline(time.Time{}) }
}
