package transfer

import (
	"fmt"
	"io"
	"os"
)

// A guarded source does what the rest of this package expects, whatever the source in it
// does: a panic is an error, the end of its goroutine and a count that cannot be one as
// well, a read that is short for no reason is continued, and each call that is under way
// can be named.
type guarded struct {
	Source
	sections Sectioner // nil: it is not read by sections
	vouched  bool      // see [Voucher]
	systems  bool      // it is a file of the system
	steps    *Steps
	protect  func(what string, fn func() error) error
}

// Guard returns src guarded.
func Guard(src Source) Source { return guard(src, nil) }

func guard(src Source, steps *Steps) Source {
	if _, ok := src.(*guarded); ok || src == nil {
		return src
	}
	g := &guarded{Source: src, steps: steps, protect: Isolate}
	g.sections, _ = src.(Sectioner)
	if v, ok := src.(Voucher); ok {
		g.vouched = v.Vouched()
	}
	if f, ok := src.(*fileSource); ok && f.isSystems() {
		g.systems, g.protect = true, Protect // for less: no code of the user's is called
	}
	return g
}

// isSystems reports whether the file is one of the system.
func (s *fileSource) isSystems() bool {
	h := s.open.Load()
	_, ok := h.openFile.(*os.File)
	return ok && os.SameFile(h.info, h.info)
}

// A sourceError is an error of a source, as opposed to that of a request.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// do makes one call of the source, such as "reading the source".
func (g *guarded) do(call string, off int64, fn func() error) error {
	defer g.steps.end(g.steps.begin(call, off))
	err := g.protect(call, fn)
	if err != nil && err != io.EOF {
		return &sourceError{err}
	}
	return err
}

// ReadAt fills p, or returns an error.
func (g *guarded) ReadAt(p []byte, off int64) (n int, err error) {
	for empty := 0; n < len(p); {
		var got int
		err := g.do("reading the source", off+int64(n), func() (err error) {
			got, err = g.Source.ReadAt(p[n:], off+int64(n))
			return checkCount(got, len(p)-n, err)
		})
		if got > 0 && got <= len(p)-n {
			n, empty = n+got, 0
		}
		switch {
		case err != nil:
			return n, err
		case got > 0:
		default:
			if empty++; empty == maxEmpty {
				return n, &sourceError{io.ErrNoProgress}
			}
		}
	}
	return n, nil
}

func checkCount(got, want int, err error) error {
	if got < 0 || got > want {
		return fmt.Errorf("%w: ReadAt returned %d for a buffer of %d", errBadCount, got, want)
	}
	return err
}

func (g *guarded) Check() error { return g.do("looking at the source", -1, g.Source.Check) }

func (g *guarded) Touched() (touched bool, err error) {
	err = g.do("looking at the source", -1, func() (err error) {
		touched, err = g.Source.Touched()
		return err
	})
	return touched, err
}

func (g *guarded) Close() error { return g.do("closing the source", -1, g.Source.Close) }

// endTries is how often the byte behind the end is asked for while that fails for a
// cause that may pass.
const endTries = 3

// checkEnd asks for one byte more than the source says to have, which shows a size
// that is not true: files in /proc have none, and other file systems lie as well.
// Nothing depends on how a source says that nothing is there: some say EIO, or wrap
// io.EOF, and all of their bytes were read. Of an empty file of the system nothing was: it
// is empty only if a read says so, and not if the file system cannot read it.
func checkEnd(src Source) error {
	size := src.State().Size
	g, _ := src.(*guarded)
	strict := g != nil && g.systems && size == 0
	for range endTries {
		n, err := src.ReadAt(make([]byte, 1), size)
		if n > 0 {
			return fmt.Errorf("%w: more can be read of it than the %d bytes that its size says; give it as File.Reader", ErrChanged, size)
		}
		if err != nil && err != io.EOF && strict {
			return fmt.Errorf("read source at byte 0: %w", err)
		}
		if passes, known := outlook(err); err == nil || !passes || !known {
			return nil
		}
	}
	return nil
}
