package upload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// inspect checks the source of a file by opening it, and returns its size in bytes; -1
// if that is not known.
func (e *entry) inspect(f *File, names *sourceNames) (int64, error) {
	e.opened, e.source = e.path, e.path
	var first opener // nil: e.from
	sources := 0
	for _, set := range []bool{f.FS != nil, f.Source != nil, f.Reader != nil} {
		if set {
			sources++
		}
	}
	switch {
	case e.path == "" && sources > 0:
		return 0, fmt.Errorf("%w: File.Path is empty: it names the bytes in the list, in errors and in checkpoints", ErrMissingArgument)
	case e.path == "":
		return 0, fmt.Errorf("%w: File.Path is empty", ErrMissingArgument)
	case f.Size < 0:
		return 0, fmt.Errorf("%w: File.Size: got %d, want the number of bytes of File.Reader, or 0 if it is not known", ErrInvalidArgument, f.Size)
	case f.Size > 0 && f.Reader == nil:
		return 0, fmt.Errorf("%w: File.Size: got %d, want 0: only a Reader is given its size", ErrInvalidArgument, f.Size)
	case f.SourceName != "" && f.Reader != nil:
		return 0, fmt.Errorf("%w: File.SourceName: got %q together with a Reader, which nobody else can resume", ErrInvalidArgument, f.SourceName)
	case sources > 1:
		return 0, fmt.Errorf("%w: File: got %d of FS, Source and Reader, want at most one", ErrInvalidArgument, sources)
	case f.Reader != nil:
		if size := f.Size; size > 0 {
			e.stream = transfer.NewSizedStream(f.Reader, size)
			return size, nil
		}
		e.stream = transfer.NewStream(f.Reader)
		return -1, nil
	case f.FS != nil:
		e.from = fsOpener{f.FS}
	case f.Source != nil:
		e.from = sourceOpener{f.Source}
	default:
		path, err := filepath.Abs(e.path)
		if err != nil {
			return 0, fmt.Errorf("%w: File.Path: %w", ErrInvalidArgument, err)
		}
		e.path = path
		first = e.locate(f.dir, names)
	}
	if f.SourceName != "" {
		e.source, e.from = f.SourceName, namedOpener{e.from}
	}
	if first == nil {
		first = e.from
	}
	src, err := first.open(e.opened)
	if sources == 0 && descriptors.Exhausted(err) { // it can be opened when others are closed
		if fi, serr := os.Stat(e.path); serr == nil && fi.Mode().IsRegular() {
			return fi.Size(), nil
		}
	}
	switch {
	case err == nil:
		e.unfingerprinted = f.Source != nil && src.State().Fingerprint == ""
		return src.State().Size, transfer.Guard(src).Close()
	case errors.Is(err, transfer.ErrNoReadAt):
		return 0, fmt.Errorf("%w: File.FS: %w; give it as File.Reader", ErrInvalidArgument, err)
	case errors.Is(err, transfer.ErrNotRegular), errors.Is(err, ErrInvalidArgument), isInvalidName(err):
		return 0, fmt.Errorf("%w: File.Path: %w", ErrInvalidArgument, err)
	case errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("%w: File.Path: %w", ErrFileNotExist, err)
	}
	return 0, fmt.Errorf("upload: File.Path: %w", err)
}

// isInvalidName reports whether err says that there can be no file of this name.
func isInvalidName(err error) bool {
	for _, invalid := range []error{fs.ErrInvalid, syscall.EINVAL, syscall.ENAMETOOLONG} {
		if errors.Is(err, invalid) {
			return true
		}
	}
	return false
}

// locate finds the path by which to open a file of the system, and its name in keys. It
// returns what opens the file right after that. dir is the folder that AddDir found it in,
// or nil.
func (e *entry) locate(dir *folder, names *sourceNames) (first opener) {
	var info fs.FileInfo
	if dir != nil {
		e.from, e.opened = dir, dir.resolved(e.path)
		info, _ = os.Lstat(e.opened)
		first = dir
	} else {
		e.from = systemOpener{}
		e.opened, info = names.paths.resolve(e.path)
		first = systemOpener{seen: info != nil && info.Mode().IsRegular()}
	}
	e.source = names.links.of(e.opened, info)
	return first
}

// reopen opens the source of a file that could be opened when it was added.
func (e *entry) reopen() (transfer.Source, error) {
	src, err := e.from.open(e.opened)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, transfer.ErrNotRegular):
		err = fmt.Errorf("%w: %w", ErrFileNotExist, err)
	case errors.Is(err, ErrInvalidArgument): // it was not, when the file was added
		err = fmt.Errorf("%w: %w", ErrFileChanged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	return src, nil
}
