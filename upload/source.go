package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A Source is the bytes of a file that is not one on disk: a section of a larger
// file, an object in memory, a reader of HTTP ranges.
type Source interface {
	// ReadAt reads any range, from many goroutines at once, and the same bytes each
	// time. A read cannot be interrupted: one that hangs keeps the file uploading,
	// with its slot and its claim, until it returns.
	//
	// An error fails the file at once if it cannot pass by itself: one that wraps
	// fs.ErrNotExist, fs.ErrPermission, fs.ErrClosed or [ErrFileChanged], for example,
	// and a panic. io.EOF before Size bytes is ErrFileChanged. After any other, the
	// read is repeated like a request: see Options.RetryCount.
	//
	// Before the object is made, one byte at Size is asked for: a source that has more
	// than it says is [ErrFileChanged]. Where reading costs a request, answer that
	// with io.EOF by yourself, as the sources of [NewSource] do.
	io.ReaderAt

	// Size is the number of bytes.
	Size() int64

	// Fingerprint names these bytes: a later process resumes an upload whose source
	// has the same fingerprint, and takes its word for what was sent before but for
	// one part, so that other bytes must have another. A fingerprint that changes while
	// the bytes are sent fails the file with [ErrFileChanged]. Where it is empty when
	// the file is added, the upload does not survive the end of the process, and a
	// later run reads the bytes of what was sent before it goes on with it.
	//
	// Fingerprint and Size are called when the file is added, when a run of it
	// begins, and around each request that sends bytes, from many goroutines at once.
	// The client is not locked then: they may call its methods.
	Fingerprint() string
}

// NewSource returns size bytes of r as a Source; what r has beyond them is not read. See [Source] for fingerprint.
func NewSource(r io.ReaderAt, size int64, fingerprint string) Source {
	return section{io.NewSectionReader(r, 0, size), fingerprint}
}

type section struct {
	*io.SectionReader
	fingerprint string
}

func (s section) Fingerprint() string { return s.fingerprint }

// inspect checks where the bytes of a file come from, and returns how many there are;
// -1 if that is not known.
func (e *entry) inspect(links *hardLinks) (int64, error) {
	e.opened, e.source = e.path, e.path
	from := 0
	for _, given := range []bool{e.spec.FS != nil, e.spec.Source != nil, e.spec.Reader != nil} {
		if given {
			from++
		}
	}
	switch {
	case e.path == "":
		return 0, fmt.Errorf("%w: File.Path is empty", ErrMissingArgument)
	case from > 1:
		return 0, fmt.Errorf("%w: File: got %d of FS, Source and Reader, want at most one", ErrInvalidArgument, from)
	case e.spec.Reader != nil:
		e.stream = transfer.NewStream(e.spec.Reader)
		return -1, nil
	case from == 0:
		path, err := filepath.Abs(e.path)
		if err != nil {
			return 0, fmt.Errorf("%w: File.Path: %w", ErrInvalidArgument, err)
		}
		e.path = path
		e.locate(links)
	}
	var src transfer.Source
	err := transfer.Protect("opening the source", func() (err error) {
		src, err = e.open()
		return err
	})
	if from == 0 && descriptors.Exhausted(err) { // its turn comes when others are closed
		if fi, serr := os.Stat(e.path); serr == nil && fi.Mode().IsRegular() {
			return fi.Size(), nil
		}
	}
	switch {
	case err == nil:
		e.unfingerprinted = e.spec.Source != nil && src.State().Fingerprint == ""
		return src.State().Size, src.Close()
	case errors.Is(err, transfer.ErrNoReadAt):
		return 0, fmt.Errorf("%w: File.FS: %w; give it as File.Reader", ErrInvalidArgument, err)
	case errors.Is(err, transfer.ErrNotRegular), errors.Is(err, ErrInvalidArgument):
		return 0, fmt.Errorf("%w: File.Path: %w", ErrInvalidArgument, err)
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w: File.Path: %w", ErrFileNotExist, err)
	}
	return 0, fmt.Errorf("upload: File.Path: %w", err)
}

// locate finds the path to open a file of the system by, and its name in keys.
func (e *entry) locate(links *hardLinks) {
	var info fs.FileInfo
	if dir := e.spec.dir; dir != nil {
		e.opened = dir.resolved(e.path)
		info, _ = os.Lstat(e.opened)
	} else {
		e.opened, info = resolve(e.path)
	}
	e.source = links.of(e.opened, info)
}

// open opens what the file's bytes come from, if that is not a Reader.
func (e *entry) open() (transfer.Source, error) {
	switch {
	case e.spec.FS != nil:
		return transfer.OpenFS(e.spec.FS, e.path)
	case e.spec.dir != nil:
		return e.spec.dir.open(e.opened)
	case e.spec.Source == nil:
		return transfer.OpenFile(e.opened)
	case e.spec.Source.Size() < 0:
		return nil, fmt.Errorf("%w: File.Source: %s has size %d", ErrInvalidArgument, e.path, e.spec.Source.Size())
	}
	return newGiven(e.spec.Source), nil
}

// reopen opens the source of a file that could be opened when it was added.
func (e *entry) reopen() (transfer.Source, error) {
	src, err := e.open()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w: %w", ErrFileNotExist, err)
	case errors.Is(err, ErrInvalidArgument): // it was not, when the file was added
		err = fmt.Errorf("%w: %w", ErrFileChanged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	return src, nil
}

// A given is a Source of the user's as transfer sees it.
type given struct {
	Source
	state checkpoint.Source
}

func newGiven(s Source) *given {
	return &given{Source: s, state: checkpoint.Source{Size: s.Size(), Fingerprint: s.Fingerprint()}}
}

func (g *given) State() checkpoint.Source { return g.state }

func (g *given) Check() error {
	if size := g.Size(); size != g.state.Size {
		return fmt.Errorf("%w: it has %d bytes, it had %d", ErrFileChanged, size, g.state.Size)
	}
	if print := g.Fingerprint(); print != g.state.Fingerprint {
		return fmt.Errorf("%w: its fingerprint is %q, it was %q", ErrFileChanged, print, g.state.Fingerprint)
	}
	return nil
}

// ReadAt makes a source that is shorter than it said an error that is not retried.
func (g *given) ReadAt(p []byte, off int64) (int, error) {
	n, err := g.Source.ReadAt(p, off)
	if err == io.EOF && n < len(p) && off+int64(n) < g.state.Size {
		return n, fmt.Errorf("%w: it ends at byte %d, it said to have %d", ErrFileChanged, off+int64(n), g.state.Size)
	}
	return n, err
}

func (g *given) Touched() (bool, error) { return false, nil }

func (g *given) Close() error { return nil }
