package transfer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// ErrChanged is returned when a source is not what it was when the upload began.
var ErrChanged = errors.New("source changed")

// A Source is the bytes of one upload. ReadAt is called from many goroutines.
type Source interface {
	io.ReaderAt

	// State returns what identifies the bytes, as it was when the source was opened.
	State() checkpoint.Source

	// Check returns an error that wraps ErrChanged if the source is no longer in
	// that state.
	Check() error

	// Touched reports whether something about the source changed that leaves its
	// state as it was, but may have changed its bytes.
	Touched() (bool, error)

	Close() error
}

// A fileSource is a regular file, opened once and read by section.
type fileSource struct {
	f     *os.File
	path  string
	info  os.FileInfo
	state checkpoint.Source
}

// OpenFile opens the regular file at path. It looks before it does: opening a pipe
// would wait for somebody who writes to it.
func OpenFile(path string) (Source, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = CheckRegular(path, info)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err = f.Stat()
	if err == nil {
		err = CheckRegular(path, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &fileSource{f: f, path: path, info: info, state: stateOf(info)}, nil
}

// ErrNotRegular is returned for a path that names a directory, a device or a pipe.
var ErrNotRegular = errors.New("not a regular file")

// CheckRegular returns an error that wraps [ErrNotRegular] and says what path is
// instead of a regular file.
func CheckRegular(path string, info os.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	kind := "a " + info.Mode().Type().String()
	if info.IsDir() {
		kind = "a directory"
	}
	return fmt.Errorf("%w: %s is %s", ErrNotRegular, path, kind)
}

func stateOf(info os.FileInfo) checkpoint.Source {
	s := checkpoint.Source{Size: info.Size(), ModTime: info.ModTime()}
	s.Device, s.Inode = inode(info)
	s.ChangeTime = changeTime(info)
	return s
}

func (s *fileSource) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.f.ReadAt(p, off)
	if err == io.EOF && n < len(p) && off+int64(n) < s.state.Size {
		return n, fmt.Errorf("%w: %s ends at byte %d, it had %d", ErrChanged, s.path, off+int64(n), s.state.Size)
	}
	return n, err
}

func (s *fileSource) State() checkpoint.Source { return s.state }

// Check looks at the open file, which shows a change in place, and at the path,
// which shows a file that was put in its place.
func (s *fileSource) Check() error {
	at, err := os.Stat(s.path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s is no longer there", ErrChanged, s.path)
	}
	if err != nil {
		return err
	}
	if !os.SameFile(at, s.info) {
		return fmt.Errorf("%w: another file is at %s now", ErrChanged, s.path)
	}
	if at.Size() != s.state.Size {
		return fmt.Errorf("%w: %s has %d bytes, it had %d", ErrChanged, s.path, at.Size(), s.state.Size)
	}
	if !at.ModTime().Equal(s.state.ModTime) {
		return fmt.Errorf("%w: %s was written at %s", ErrChanged, s.path, at.ModTime().Format(time.RFC3339Nano))
	}
	return nil
}

// Touched compares the inode's change time: it moves with each write, also where
// somebody sets the modification time back, but with a chmod as well.
func (s *fileSource) Touched() (bool, error) {
	info, err := s.f.Stat()
	if err != nil {
		return false, err
	}
	return !changeTime(info).Equal(s.state.ChangeTime), nil
}

func (s *fileSource) Close() error { return s.f.Close() }

// sameSource says why the bytes that a record describes are not those of now, or
// nothing if they are. Change time and device are left out: where these differ, the
// bytes are looked at.
func sameSource(rec, now checkpoint.Source) string {
	switch {
	case rec.Size != now.Size:
		return fmt.Sprintf("its size was %d bytes and is %d", rec.Size, now.Size)
	case !rec.ModTime.Equal(now.ModTime):
		return fmt.Sprintf("it was written at %s", now.ModTime.Format(time.RFC3339Nano))
	case rec.Inode != now.Inode:
		return "another file was put in its place"
	case rec.Fingerprint != now.Fingerprint:
		return "its fingerprint is another"
	}
	return ""
}
