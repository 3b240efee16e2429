package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Sectioner is a [Source] that is read by sections: of a request for each of them, for
// example, where ReadAt would need one for every 32 or 64 KiB.
type Sectioner interface {
	// Section returns n bytes from off on. ctx ends when they are not needed any more:
	// a Read that is under way has to return then. The body is closed on every path.
	Section(ctx context.Context, off, n int64) (io.ReadCloser, error)
}

// errLongSection is for a section with more bytes than were asked for: they may be other
// bytes altogether, of a server that ignores ranges.
var errLongSection = errors.New("section is longer than it was asked for")

// A sectionReader reads a section of a source once and in order. What is read out of
// order is read by ReadAt of the source.
type sectionReader struct {
	*guarded
	ctx       context.Context // of the section
	end       context.CancelFunc
	off, size int64
	read      int64
	body      io.ReadCloser // nil: not open
	err       error         // of the section
}

// sectioned returns src as it is read by one attempt that needs size bytes from off on, in
// order. The reader is nil where src is not read by sections.
func sectioned(ctx context.Context, src Source, off, size int64) (Source, *sectionReader) {
	g, ok := src.(*guarded)
	if !ok || g.sections == nil {
		return src, nil
	}
	s := &sectionReader{guarded: g, off: off, size: size}
	s.ctx, s.end = context.WithCancel(ctx)
	return s, s
}

// interrupter returns what makes a Read return that is under way, or nil.
func (s *sectionReader) interrupter() func() {
	if s == nil {
		return nil
	}
	return s.end
}

// close ends the section. No read of it may be under way.
func (s *sectionReader) close() {
	if s == nil {
		return
	}
	defer s.end()
	if s.body != nil {
		_ = s.do("closing the source", -1, s.body.Close) // its bytes have ended, or are not needed
	}
}

// ReadAt opens the section with the first read of it, so that the request that waits for
// the bytes has a watchdog.
func (s *sectionReader) ReadAt(p []byte, off int64) (int, error) {
	if off != s.off+s.read || s.read == s.size {
		return s.guarded.ReadAt(p, off)
	}
	if s.body == nil && s.err == nil {
		s.err = s.open()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.next(p[:min(int64(len(p)), s.size-s.read)])
	s.read += int64(n)
	if s.err = s.explained(err); s.err == nil && n < len(p) {
		return n, io.EOF
	}
	return n, s.err
}

func (s *sectionReader) open() error {
	err := s.do("opening the source", s.off, func() (err error) {
		s.body, err = s.sections.Section(s.ctx, s.off, s.size)
		if err == nil && s.body == nil {
			err = fmt.Errorf("%w: Section returned neither a reader nor an error", errBadCount)
		}
		return err
	})
	return s.explained(err)
}

// next fills p. With the last bytes of the section it waits for its end: nothing is made
// of a section that has more.
func (s *sectionReader) next(p []byte) (n int, err error) {
	at := s.off + s.read
	err = s.do("reading the source", at, func() error {
		got, ended, err := fill(s.body, p)
		n = got
		switch read := s.read + int64(n); {
		case err != nil || ended && read == s.size:
			return err
		case ended:
			return fmt.Errorf("the section of %d bytes from byte %d ended after %d: %w", s.size, s.off, read, io.ErrUnexpectedEOF)
		case read < s.size:
			return nil
		}
		got, _, err = fill(s.body, make([]byte, 1))
		if got > 0 {
			return fmt.Errorf("%w: got more than the %d bytes from byte %d; does the server support ranges?", errLongSection, s.size, s.off)
		}
		return err
	})
	return n, err
}

// explained returns err, or why the section was cut off.
func (s *sectionReader) explained(err error) error {
	if err != nil && s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}

// asked returns how long an error of a source asks to wait.
func asked(err error) time.Duration {
	if e, ok := errors.AsType[interface {
		error
		RetryAfter() time.Duration
	}](err); ok {
		return max(e.RetryAfter(), 0)
	}
	return 0
}
