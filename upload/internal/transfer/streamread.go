package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// maxEmpty is how often in a row a reader may return neither bytes nor an error,
// as in package bufio.
const maxEmpty = 100

// errBadCount is for a reader that says it has read what it cannot have read.
var errBadCount = errors.New("invalid number of bytes")

// fill reads until buf is full or r ends. Only io.EOF itself is an end, as package io
// says: one that is wrapped, and io.ErrUnexpectedEOF above all, says that something
// broke off. r is not asked again after it has returned an error.
func fill(r io.Reader, buf []byte) (n int, ended bool, err error) {
	empty := 0
	for n < len(buf) {
		got, err := r.Read(buf[n:])
		if got < 0 || got > len(buf)-n {
			return n, false, fmt.Errorf("%w: Read returned %d for a buffer of %d", errBadCount, got, len(buf)-n)
		}
		n += got
		switch {
		case err == io.EOF:
			return n, true, nil
		case err != nil:
			return n, false, err
		case got > 0:
			empty = 0
		default:
			if empty++; empty == maxEmpty {
				return n, false, io.ErrNoProgress
			}
		}
	}
	return n, false, nil
}

// A chunk is the outcome of reading one part.
type chunk struct {
	buf  []byte
	last bool
	err  error
}

// next returns the next part. A read that does not return stays under way after ctx
// ended, and the next call takes its result: it cannot be interrupted.
func (st *Stream) next(ctx context.Context) (chunk, error) {
	if st.err != nil {
		return chunk{}, st.err
	}
	if ctx.Err() != nil { // begin no Read that nobody waits for
		return chunk{}, context.Cause(ctx)
	}
	if !st.asked && !st.beginRead() {
		return chunk{}, fmt.Errorf("read source: %w", fs.ErrClosed)
	}
	st.asked = true
	select {
	case c := <-st.read:
		st.asked = false
		st.bytes += int64(len(c.buf))
		if c.err != nil {
			st.err = fmt.Errorf("read source at byte %d: %w", st.bytes, c.err)
			return chunk{}, st.err
		}
		st.ended = c.last
		return c, nil
	case <-ctx.Done():
		return chunk{}, context.Cause(ctx)
	}
}

// beginRead reads a part on a goroutine of its own. It returns false once the stream
// was closed.
func (st *Stream) beginRead() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closing {
		return false
	}
	st.reading = true
	buf := st.bufferLocked()
	go st.readPart(buf)
	return true
}

func (st *Stream) readPart(buf []byte) {
	c := chunk{err: fmt.Errorf("Read of the source %w", tasks.ErrGoexit)}
	defer func() {
		st.mu.Lock()
		st.reading = false
		closing := st.closing
		st.mu.Unlock()
		st.read <- c
		if closing {
			st.closeReader()
		}
	}()
	c.err = Protect("Read of the source", func() (err error) {
		c.buf, c.last, err = fillPart(st.from, buf, st.size)
		return err
	})
}

// firstBuffer is how large the buffer of a part is at first.
const firstBuffer = 1 << 20

// fillPart fills a part of up to size bytes as fill does. The buffer grows with what
// arrives: the size may be what somebody announced who never sends so much.
func fillPart(r io.Reader, buf []byte, size int64) (part []byte, ended bool, err error) {
	n := 0
	for {
		var got int
		got, ended, err = fill(r, buf[n:])
		if n += got; ended || err != nil || int64(n) >= size {
			return buf[:n], ended, err
		}
		larger := make([]byte, min(2*int64(len(buf)), size))
		copy(larger, buf)
		buf = larger
	}
}

// Close closes the reader if it is an io.Closer. It is never closed while it reads:
// most readers do not stand that. The goroutine that reads closes it then, once its
// Read has returned; see [Stream.Closed]. Further calls do nothing.
func (st *Stream) Close() {
	st.mu.Lock()
	again, reading := st.closing, st.reading
	st.closing = true
	st.mu.Unlock()
	if !again && !reading {
		st.closeReader()
	}
}

// Reading reports whether a Read is under way.
func (st *Stream) Reading() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.reading
}

func (st *Stream) closeReader() {
	defer close(st.closed)
	if c, ok := st.r.(io.Closer); ok {
		// Its error does not matter: the bytes had ended, or were not wanted.
		_ = Isolate("Close of the source", c.Close)
	}
}

// Closed is closed once the reader was closed after [Stream.Close], and is used no more.
func (st *Stream) Closed() <-chan struct{} { return st.closed }
