package main

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// A bodyError is why a browser's body has not ended as it should.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

// A body is what a browser sends. Each Read has a deadline of its own, so that an upload
// may take hours, and one that stalls ends soon.
type body struct {
	from     io.Reader
	conn     *http.ResponseController
	patience time.Duration
	onEnd    func() // is called when all of the body was read

	mu      sync.Mutex
	reading bool
	ended   bool // the connection is not the body's any more
}

// Read ends with io.EOF only where the browser has sent all that it announced.
func (b *body) Read(p []byte) (int, error) {
	if !b.begin() {
		return 0, &bodyError{http.ErrBodyReadAfterClose}
	}
	n, err := b.from.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reading = false
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, &bodyError{err}
	case !b.ended:
		// From here on, and from the beginning where the body is empty, net/http reads from
		// the connection, to notice when the browser hangs up. It would take the deadline
		// for that, and end the request's context before OSS has answered.
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	b.onEnd()
	return n, io.EOF
}

func (b *body) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.reading = true
		_ = b.conn.SetReadDeadline(time.Now().Add(b.patience)) // connections of net/http have deadlines
	}
	return !b.ended
}

// end is called when Upload has returned. A Read that is under way, because Upload has
// ended without it, is interrupted: net/http waits for it before it closes the connection.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.reading {
		_ = b.conn.SetReadDeadline(time.Unix(1, 0))
	}
}
