package transfer

import (
	"errors"
	"fmt"
	"io"
)

// ErrSizeMismatch is returned for a stream that has fewer or more bytes than it was said
// to have.
var ErrSizeMismatch = errors.New("upload: the Reader does not have File.Size bytes")

// exactly reads a reader that has to have size bytes. With the last of them comes io.EOF,
// once r has said that it has no more, so that nothing is made of a reader that is longer.
type exactly struct {
	r    io.Reader
	size int64
	read int64
}

func (e *exactly) Read(p []byte) (int, error) {
	p = p[:min(int64(len(p)), e.size-e.read)]
	n, err := e.r.Read(p)
	if n < 0 || n > len(p) {
		return 0, fmt.Errorf("%w: Read returned %d for a buffer of %d", errBadCount, n, len(p))
	}
	e.read += int64(n)
	switch {
	case err == io.EOF && e.read < e.size:
		return n, fmt.Errorf("%w: it ended after %d bytes, want %d: %w", ErrSizeMismatch, e.read, e.size, io.ErrUnexpectedEOF)
	case err == nil && e.read == e.size:
		err = e.end()
	}
	return n, err
}

// end returns io.EOF if the reader has no more bytes.
func (e *exactly) end() error {
	n, _, err := fill(e.r, make([]byte, 1))
	switch {
	case n > 0:
		return fmt.Errorf("%w: it has more, want %d", ErrSizeMismatch, e.size)
	case err != nil:
		return err
	}
	return io.EOF
}
