package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/internal/crc64"
)

// A Body is the bytes of one request: Size bytes of R from Off. Each attempt reads
// them again through a section of its own, which is cut off when the call returns:
// after it, neither R is read nor Sent called. A call that is canceled waits for a
// read of R that is under way; Interrupt, if it is not nil, is to make that return.
type Body struct {
	R    io.ReaderAt
	Off  int64
	Size int64
	Sent func(n int64) // called as bytes are handed to the connection; may be nil; must not block

	// Interrupt is called when the bytes are not needed any more, from any goroutine and
	// perhaps more than once. What reads of R return from then on counts for nothing.
	Interrupt func()
}

// errDetached is what a connection gets that reads on after the call has returned.
var errDetached = errors.New("wire: body read after its request ended")

// A bodyReader is the section of a Body that one request reads. Its Read is called
// by the connection's goroutine, which net/http does not wait for when the answer
// comes early (golang/go#12796).
type bodyReader struct {
	Body
	ctx     context.Context // ends the waits for limiter
	limiter *Limiter        // may be nil

	pos     atomic.Int64 // bytes read so far
	limited atomic.Bool  // has waited for limiter since the watchdog last looked
	waiting atomic.Bool  // waits for limiter now
	source  stopwatch    // of the reads of R
	cut     atomic.Bool  // Interrupt was called
	uncut   func() bool  // see newBodyReader; nil without Interrupt

	mu       sync.Mutex
	detached bool
	crc      uint64
	err      error // of R
}

// newBodyReader returns a reader of body. Without Interrupt, that needs nothing done when
// ctx ends: a read of a file returns by itself.
func newBodyReader(ctx context.Context, body *Body, l *Limiter) *bodyReader {
	b := &bodyReader{Body: *body, ctx: ctx, limiter: l}
	if b.Interrupt != nil {
		b.uncut = context.AfterFunc(ctx, b.interrupt)
	}
	return b
}

func (b *bodyReader) interrupt() {
	b.cut.Store(true)
	b.Interrupt()
}

// Read reads the next bytes of the section.
func (b *bodyReader) Read(p []byte) (int, error) {
	left := b.Size - b.pos.Load()
	if left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > left {
		p = p[:left]
	}
	if b.limiter.isFinite() {
		var err error
		if p, err = b.limit(p); err != nil {
			return 0, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.detached {
		return 0, errDetached
	}
	b.source.start()
	n, err := b.R.ReadAt(p, b.Off+b.pos.Load())
	b.source.stop()
	if n == len(p) && err != nil && err != io.EOF {
		n = 0 // with these bytes, the request might succeed
	}
	b.crc = crc64.Update(b.crc, p[:n])
	pos := b.pos.Add(int64(n))
	if b.Sent != nil && n > 0 {
		b.Sent(int64(n))
	}
	if n == len(p) {
		return n, nil
	}
	if b.cut.Load() { // that is why it is short
		return n, errDetached
	}
	b.err = b.sourceError(pos, err)
	return n, b.err
}

// sourceError says why R gave less than was asked for.
func (b *bodyReader) sourceError(pos int64, err error) error {
	switch err {
	case nil:
		err = io.ErrNoProgress
	case io.EOF:
		return fmt.Errorf("source ends at byte %d: want %d bytes from %d: %w", b.Off+pos, b.Size, b.Off, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("read source at byte %d: %w", b.Off+pos, err)
}

// limit cuts p to what the limiter lets through at a time, and waits for it.
func (b *bodyReader) limit(p []byte) ([]byte, error) {
	if n := b.limiter.chunk(); len(p) > n {
		p = p[:n]
	}
	if b.limiter.take(len(p)) {
		return p, nil
	}
	b.waiting.Store(true)
	defer b.waiting.Store(false)
	b.limited.Store(true)
	return p, b.limiter.WaitN(b.ctx, len(p))
}

// readFor returns how long the source has been read.
func (b *bodyReader) readFor() time.Duration {
	if b == nil {
		return 0
	}
	return b.source.elapsed()
}

// paused reports whether the limiter has held the body back since it was last asked.
func (b *bodyReader) paused() bool { return b.limited.Swap(false) || b.waiting.Load() }

// detach cuts the section off: reads that come later get an error, and count for
// nothing. It returns the CRC64 of what was read, how much that was, and the error
// of the source.
func (b *bodyReader) detach() (crc uint64, n int64, err error) {
	if b == nil {
		return 0, 0, nil
	}
	if b.Interrupt != nil && b.uncut() {
		b.interrupt()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.detached = true
	return b.crc, b.pos.Load(), b.err
}
