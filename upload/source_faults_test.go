package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// A faulty source calls fail before each read, and has the panic that a method is to
// end with.
type faulty struct {
	*bytes.Reader
	fail  func(off, end int64) error // of the bytes that are read
	panic string
}

func (s *faulty) ReadAt(p []byte, off int64) (int, error) {
	if s.panic == "ReadAt" {
		panic("torn")
	}
	if s.fail != nil {
		if err := s.fail(off, off+int64(len(p))); err != nil {
			return 0, err
		}
	}
	return s.Reader.ReadAt(p, off)
}

func (s *faulty) Size() int64 {
	if s.panic == "Size" {
		panic("torn")
	}
	return s.Reader.Size()
}

func (s *faulty) Fingerprint() string {
	if s.panic == "Fingerprint" {
		panic("torn")
	}
	return "v1"
}

func TestReadThatFailsOnceIsARetry(t *testing.T) {
	for _, size := range []int{50 * kib, 350 * kib} {
		b := newTestbed(t)
		var told atomic.Int32
		b.opts.Callbacks.OnRetry = func(_ *upload.Client, _ upload.FileInfo, r upload.Retry) {
			if errors.Is(r.Err, syscall.EIO) && r.Attempt == 1 {
				told.Add(1)
			}
		}
		var failed atomic.Bool
		data := bytes.Repeat([]byte("s"), size)
		f := b.to("s")
		f.Source = &faulty{Reader: bytes.NewReader(data), fail: func(_, end int64) error {
			if end > int64(size)/2 && failed.CompareAndSwap(false, true) {
				return syscall.EIO
			}
			return nil
		}}
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		if told.Load() != 1 || !bytes.Equal(b.content("s"), data) {
			t.Errorf("%d bytes: OnRetry was called %d times, want once; or the object has other bytes", size, told.Load())
		}
		b.clean()
	}
}

func TestPanicOfASourceFailsItsFile(t *testing.T) {
	for _, method := range []string{"ReadAt", "Size", "Fingerprint"} {
		for _, late := range []bool{false, true} {
			for _, size := range []int{50 * kib, 350 * kib} {
				b := newTestbed(t)
				src := &faulty{Reader: bytes.NewReader(make([]byte, size)), panic: method}
				if late {
					src.panic = ""
				}
				f := b.to("s")
				f.Source = src
				c := b.client()
				id, err := c.AddFile(f)
				if err == nil {
					src.panic = method
					start(t, b, c)
					err = c.Wait(b.ctx)
					if got := must(c.File(id)).State; got != upload.FileFailed {
						t.Errorf("%s: the file is %s", method, got)
					}
				}
				if err == nil || !strings.Contains(err.Error(), "panicked: torn (source_faults_test.go:") {
					t.Errorf("%s, late %t: got %v, want the panic", method, late, err)
				}
			}
		}
	}
}

// TestFileThatHasMoreThanItsSize: files in /proc have no size, and are not empty.
func TestFileThatHasMoreThanItsSize(t *testing.T) {
	t.Run("/proc", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("there is no /proc")
		}
		b := newTestbed(t)
		f := b.to("p")
		f.Path = "/proc/self/status"
		wantMore(b, f)
	})
	t.Run("without a size, and cannot be read", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("there is no /proc")
		}
		b := newTestbed(t)
		f := b.to("p")
		f.Path = "/proc/self/mem" // whose first byte is an error, as of a network file system that is away
		if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v, want EIO: nothing says that the file is empty", err)
		}
		if n := len(b.server.Objects(bucket)); n > 0 {
			t.Errorf("there are %d objects", n)
		}
	})
	t.Run("a file system whose Stat lies", func(t *testing.T) {
		for _, size := range []int{0, 1000, 350 * kib} {
			b := newTestbed(t)
			f := b.to("p")
			f.FS, f.Path = lyingFS{fstest.MapFS{"a": {Data: make([]byte, size+1), ModTime: time.Unix(1e9, 0)}}, int64(size)}, "a"
			wantMore(b, f)
		}
	})
}

func wantMore(b *testbed, f upload.File) {
	b.t.Helper()
	_, err := b.client().Upload(b.ctx, f)
	var e *upload.Error
	if !errors.Is(err, upload.ErrFileChanged) || !errors.As(err, &e) || e.Code != upload.CodeFileChanged || !strings.Contains(err.Error(), "more can be read of it") {
		b.t.Errorf("got %v, want ErrFileChanged that says so", err)
	}
	if n := len(b.server.Objects(bucket)); n > 0 {
		b.t.Errorf("there are %d objects", n)
	}
	b.clean()
}

// A lyingFS says that its files have so many bytes.
type lyingFS struct {
	fstest.MapFS
	size int64
}

func (l lyingFS) Stat(name string) (fs.FileInfo, error) {
	info, err := l.MapFS.Stat(name)
	return lyingInfo{info, l.size}, err
}

func (l lyingFS) Open(name string) (fs.File, error) {
	f, err := l.MapFS.Open(name)
	return lyingFile{f.(mapFile), l.size}, err
}

type mapFile interface {
	fs.File
	ReadAt([]byte, int64) (int, error)
}

type lyingFile struct {
	mapFile
	size int64
}

func (f lyingFile) Stat() (fs.FileInfo, error) {
	info, err := f.mapFile.Stat()
	return lyingInfo{info, f.size}, err
}

type lyingInfo struct {
	fs.FileInfo
	size int64
}

func (i lyingInfo) Size() int64 { return i.size }

// TestEndOfASource: the byte behind the last one is not there, whatever a source says.
func TestEndOfASource(t *testing.T) {
	for name, end := range map[string]error{
		"EIO": syscall.EIO, "io.ErrUnexpectedEOF": io.ErrUnexpectedEOF,
		"io.EOF wrapped": fmt.Errorf("range: %w", io.EOF), "unknown": errors.New("416"), "a timeout": os.ErrDeadlineExceeded,
	} {
		for _, size := range []int{50 * kib, 350 * kib} {
			b := newTestbed(t)
			data := bytes.Repeat([]byte("s"), size)
			f := b.to("s")
			f.Source = &faulty{Reader: bytes.NewReader(data), fail: func(off, _ int64) error {
				if off >= int64(size) {
					return end
				}
				return nil
			}}
			if _, err := b.client().Upload(b.ctx, f); err != nil || !bytes.Equal(b.content("s"), data) {
				t.Errorf("%s, %d bytes: got %v, or other bytes", name, size, err)
			}
		}
	}
	t.Run("ErrFileChanged of one that has more, and says so at the second try", func(t *testing.T) {
		for _, size := range []int64{50 * kib, 350 * kib} {
			b := newTestbed(t)
			var failed atomic.Bool
			f := b.to("s")
			f.Source = longer{&faulty{Reader: bytes.NewReader(make([]byte, size+1)), fail: func(off, _ int64) error {
				if off >= size && failed.CompareAndSwap(false, true) {
					return syscall.EIO
				}
				return nil
			}}}
			wantMore(b, f)
		}
	})
}

// A longer source has one byte more than it says.
type longer struct{ *faulty }

func (l longer) Size() int64 { return l.faulty.Size() - 1 }

// TestQueuedFileIsNoFileAnyMore when its turn comes.
func TestQueuedFileIsNoFileAnyMore(t *testing.T) {
	for name, spoil := range map[string]func(folder, path string) error{
		"a folder in its place": func(_, path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a file in the place of its folder": func(folder, _ string) error {
			return errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600))
		},
		"nothing in its place": func(_, path string) error { return os.Remove(path) },
	} {
		for _, byDir := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, of AddDir %t", name, byDir), func(t *testing.T) {
				b := newTestbed(t)
				f := b.file("in/sub/a.mp4", 10)
				c := b.client()
				if byDir {
					must(c.AddDir(b.ctx, filepath.Join(b.dir, "in"), b.into("in/")))
				} else {
					b.add(c, f)
				}
				if err := spoil(filepath.Dir(f.Path), f.Path); err != nil {
					t.Fatal(err)
				}
				start(t, b, c)
				var e *upload.Error
				if err := c.Wait(b.ctx); !errors.Is(err, upload.ErrFileNotExist) || !errors.As(err, &e) || e.Code != upload.CodeFileNotExist {
					t.Errorf("got %v, want ErrFileNotExist", err)
				}
				b.clean()
			})
		}
	}
}

func TestNameThatNoFileCanHave(t *testing.T) {
	b := newTestbed(t)
	for _, path := range []string{"a\x00b", strings.Repeat("n", 1000), "../a", "/a"} {
		f := b.to("p")
		f.Path = path
		if path == "../a" || path == "/a" {
			f.FS = os.DirFS(b.dir)
		} else if runtime.GOOS == "windows" {
			continue
		}
		if _, err := b.client().AddFile(f); !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("%.20q: got %v, want ErrInvalidArgument", path, err)
		}
	}
}
