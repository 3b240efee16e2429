package transfer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// ErrChanged is returned when a source is not what it was when the upload began.
var ErrChanged = errors.New("upload: source changed")

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

// A fileSource is a regular file, read by section. It is opened once, and again if its file
// system was mounted anew.
type fileSource struct {
	path  string
	at    func() (fs.FileInfo, error) // what is at path now
	do    func() (fs.File, error)     // opens it
	state checkpoint.Source

	unsure bool // a write may leave the times as they are
	named  bool // see Named

	open     atomic.Pointer[handle]
	renewing sync.Mutex
	gone     []*handle // they are closed at the end: reads of them may be under way
}

// A Settler is a source that a write may not show in. Settle has to be called before it
// is read for an upload. One of at most so many bytes is read twice instead, if need be.
type Settler interface{ Settle(twice int64) error }

// Settle implements [Settler].
func (s *fileSource) Settle(twice int64) error { return s.settle(time.Now(), twice) }

// An openFile is what a source is read from: a file of the system, or of a file
// system like embed.FS.
type openFile interface {
	fs.File
	io.ReaderAt
}

// OpenFile opens the regular file at path. It looks before it does: opening a pipe
// would wait for a writer.
func OpenFile(path string) (Source, error) {
	at, do := fileAt(path)
	return open(path, at, do)
}

// OpenSeen is [OpenFile] where the caller has just seen a regular file at path.
func OpenSeen(path string) (Source, error) {
	at, do := fileAt(path)
	return openSeen(path, at, do)
}

func fileAt(path string) (at func() (fs.FileInfo, error), do func() (fs.File, error)) {
	return func() (fs.FileInfo, error) { return os.Stat(path) },
		func() (fs.File, error) { return openRegular(path) }
}

// OpenFS is [OpenFile] for a file of fsys. One without a modification time, like those
// of embed.FS, is read for a fingerprint.
func OpenFS(fsys fs.FS, name string) (Source, error) {
	return open(name,
		func() (fs.FileInfo, error) { return fs.Stat(fsys, name) },
		func() (fs.File, error) { return fsys.Open(name) })
}

func open(path string, at func() (fs.FileInfo, error), do func() (fs.File, error)) (Source, error) {
	info, err := at()
	if err == nil {
		err = CheckRegular(path, info)
	}
	if err != nil {
		return nil, NoFile(err)
	}
	return openSeen(path, at, do)
}

func openSeen(path string, at func() (fs.FileInfo, error), do func() (fs.File, error)) (Source, error) {
	f, err := do()
	if err != nil {
		return nil, NoFile(err)
	}
	h, err := handleOf(f, path)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	s := &fileSource{path: path, at: at, do: do, state: stateOf(h.info)}
	s.open.Store(h)
	if h.info.ModTime().IsZero() {
		if s.state.Fingerprint, err = fingerprint(guard(s, nil), path, h.info.Size()); err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	return s, nil
}

func handleOf(f fs.File, path string) (*handle, error) {
	info, err := f.Stat()
	if err == nil {
		err = CheckRegular(path, info)
	}
	if err != nil {
		return nil, err
	}
	r, ok := f.(openFile)
	if !ok {
		return nil, fmt.Errorf("%w: %s is a %T, which is no io.ReaderAt", ErrNoReadAt, path, f)
	}
	if size := info.Size(); size < 0 {
		return nil, fmt.Errorf("%w: %s has size %d", fs.ErrInvalid, path, size)
	}
	return &handle{openFile: r, info: info}, nil
}

func fingerprint(r io.ReaderAt, name string, size int64) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(r, 0, size)); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s sha256 %x", name, hash.Sum(nil)), nil
}

// NoFile returns err as one that is fs.ErrNotExist if a path leads nowhere: a folder of it
// is a file by now, or a link leads back to itself. To package os neither is that.
func NoFile(err error) error {
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
		return noFileError{err}
	}
	return err
}

type noFileError struct{ error }

func (e noFileError) Unwrap() error        { return e.error }
func (e noFileError) Is(target error) bool { return target == fs.ErrNotExist }

// ErrNoReadAt is returned for a file that can only be read from its start on.
var ErrNoReadAt = errors.New("cannot be read at any place")

// ErrNotRegular is returned for a path that names a directory, a device or a pipe.
var ErrNotRegular = errors.New("not a regular file")

// CheckRegular returns an error that wraps [ErrNotRegular] and says what path is
// instead of a regular file.
func CheckRegular(path string, info os.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return NotRegular(path, info.Mode())
}

// NotRegular is the error of [CheckRegular] for a path of a mode.
func NotRegular(path string, mode fs.FileMode) error {
	return fmt.Errorf("%w: %s is %s", ErrNotRegular, path, kindOf(mode))
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	}
	return "a file of mode " + mode.Type().String()
}

func stateOf(info os.FileInfo) checkpoint.Source {
	s := checkpoint.Source{Size: info.Size(), ModTime: info.ModTime()}
	s.Device, s.Inode = inode(info)
	s.ChangeTime = changeTime(info)
	return s
}

func (s *fileSource) ReadAt(p []byte, off int64) (int, error) {
	h := s.open.Load()
	n, err := h.ReadAt(p, off)
	if err == io.EOF && n < len(p) && off+int64(n) < s.state.Size {
		return n, fmt.Errorf("%w: %s ends at byte %d, it had %d", ErrChanged, s.path, off+int64(n), s.state.Size)
	}
	if isLost(err) {
		err = s.ifLost(h, err)
	}
	return n, err
}

func (s *fileSource) State() checkpoint.Source {
	state := s.state
	if s.named {
		state.Device, state.Inode = 0, namedInode
	}
	return state
}

// Named returns src, which has a name that is the same on all machines: one file of a file
// system that they share. The numbers of the device, and of the inode with some file
// systems, are each machine's own, and say nothing of the bytes. The times are the server's.
func Named(src Source) Source {
	if f, ok := src.(*fileSource); ok {
		f.named = true
	}
	return src
}

// namedInode is the inode of all files that have such a name. 0 would say that the system
// has no inodes.
const namedInode = 1

// Check looks at the path, which shows a file that was put in its place, and at the
// open file, which shows a change in place. With a file of the system, both are known
// to be the same one, and so the first look is enough.
func (s *fileSource) Check() error {
	h := s.open.Load() // before the look at the path, which may show what is mounted next
	at, err := s.at()
	if errors.Is(NoFile(err), fs.ErrNotExist) {
		return s.ifLost(h, fmt.Errorf("%w: %s is no longer there", ErrChanged, s.path))
	}
	if err != nil {
		return err
	}
	known, same := s.isSame(h, at)
	if !same {
		return s.ifLost(h, fmt.Errorf("%w: another file is at %s now", ErrChanged, s.path))
	}
	if err := s.compare(at); err != nil || known {
		return err
	}
	now, err := h.Stat()
	if err != nil {
		return s.ifLost(h, err)
	}
	return s.compare(now)
}

// isSame reports whether at is the open file; known is false where the file system
// says too little, and it only may be.
func (s *fileSource) isSame(h *handle, at fs.FileInfo) (known, same bool) {
	if os.SameFile(h.info, h.info) && os.SameFile(at, at) { // files of the system
		return true, os.SameFile(at, h.info)
	}
	_, number := inode(at)
	return false, number == s.state.Inode || number == 0 || s.state.Inode == 0
}

func (s *fileSource) compare(now fs.FileInfo) error {
	if now.Size() != s.state.Size {
		return fmt.Errorf("%w: %s has %d bytes, it had %d", ErrChanged, s.path, now.Size(), s.state.Size)
	}
	if !now.ModTime().Equal(s.state.ModTime) {
		return fmt.Errorf("%w: %s was written at %s", ErrChanged, s.path, now.ModTime().Format(time.RFC3339Nano))
	}
	return nil
}

// Touched compares the inode's change time: it moves with each write, also where
// the modification time was set back, but with a chmod as well. A file without
// a change time, as on Windows or in most implementations of fs.FS, may always have
// been touched.
func (s *fileSource) Touched() (bool, error) {
	h := s.open.Load()
	if s.unsure || h.again || s.state.ChangeTime.IsZero() {
		return true, nil
	}
	info, err := h.Stat()
	if err != nil {
		return false, s.ifLost(h, err)
	}
	return !changeTime(info).Equal(s.state.ChangeTime), nil
}

func (s *fileSource) Close() error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	for _, h := range s.gone {
		_ = h.Close()
	}
	return s.open.Load().Close()
}
