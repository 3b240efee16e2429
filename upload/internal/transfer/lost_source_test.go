//go:build unix

package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest"
)

// A mount is a file system that can be mounted anew: what was opened before is lost.
type mount struct {
	dir  string
	says syscall.Errno // of a file that is lost

	mu     sync.Mutex
	times  int   // it was mounted
	away   error // of every path, while it is not mounted
	opened int
	closed int
	reads  int
	before func(read int)
	info   fs.FileInfo // not nil: this is said, whatever is there
}

func (m *mount) look(of int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if of != m.times {
		return m.says
	}
	return nil
}

// back returns why nothing is mounted. The next look finds it mounted.
func (m *mount) back() error {
	away := m.away
	m.away = nil
	return away
}

func (m *mount) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.back(); err != nil {
		return nil, err
	}
	if m.info != nil {
		return m.info, nil
	}
	return os.Stat(filepath.Join(m.dir, name))
}

func (m *mount) Open(name string) (fs.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.back(); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(m.dir, name))
	if err != nil {
		return nil, err
	}
	m.opened++
	return &mounted{f, m, m.times}, nil
}

type mounted struct {
	*os.File
	on *mount
	of int
}

func (f *mounted) Stat() (fs.FileInfo, error) {
	if err := f.on.look(f.of); err != nil {
		return nil, err
	}
	if f.on.info != nil {
		return f.on.info, nil
	}
	return f.File.Stat()
}

func (f *mounted) ReadAt(p []byte, off int64) (int, error) {
	f.on.mu.Lock()
	f.on.reads++
	read := f.on.reads
	f.on.mu.Unlock()
	f.on.before(read)
	if err := f.on.look(f.of); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *mounted) Close() error {
	f.on.mu.Lock()
	f.on.closed++
	f.on.mu.Unlock()
	return f.File.Close()
}

// replace puts another file of the same size and time at path.
func replace(t *testing.T, path string, b []byte) {
	t.Helper()
	info := must(os.Stat(path))
	err := os.WriteFile(path+".new", b, 0o600)
	if err = errors.Join(err, os.Chtimes(path+".new", info.ModTime(), info.ModTime()), os.Rename(path+".new", path)); err != nil {
		t.Error(err)
	}
}

// TestFileSystemIsMountedAnew while a file of it is sent: a FUSE daemon was restarted, or an
// NFS server lost its table. What was open never works again.
func TestFileSystemIsMountedAnew(t *testing.T) {
	for _, says := range losing {
		for _, size := range []int{1000, fiveParts} {
			var mixed error
			if size == fiveParts { // one request more is of one version
				mixed = ErrChanged
			}
			for name, tt := range map[string]struct {
				away  error // of the paths, once
				bytes []byte
				want  error
				crash bool // of a server that had not written all: nothing shows it
			}{
				"the file is there":               {nil, nil, nil, false},
				"the file is another inode":       {nil, data(size, 1), nil, false},
				"its daemon is not there at once": {syscall.ENOTCONN, data(size, 1), nil, false},
				"its folder is empty for a while": {fs.ErrNotExist, data(size, 1), nil, false},
				"with other bytes":                {nil, data(size, 2), mixed, false},
				"with bytes of before":            {nil, data(size, 3), mixed, true},
				"with another size":               {nil, data(size+1, 1), ErrChanged, false},
			} {
				t.Run(fmt.Sprintf("%v, %d bytes: %s", says, size, name), func(t *testing.T) {
					r := newTestbed(t, size)
					m := &mount{dir: filepath.Dir(r.path), says: says}
					if tt.crash {
						m.info = must(os.Stat(r.path))
					}
					m.before = func(read int) {
						if read != 2 && (read != 1 || size > 1000) {
							return
						}
						m.mu.Lock()
						defer m.mu.Unlock()
						if m.times > 0 {
							return
						}
						switch {
						case tt.crash:
							if err := os.WriteFile(r.path, tt.bytes, 0o600); err != nil {
								t.Error(err)
							}
						case tt.bytes != nil:
							replace(t, r.path, tt.bytes)
						}
						m.times, m.away = 1, tt.away
					}
					src := must(OpenFS(m, filepath.Base(r.path)))
					_, err := r.runSource(src)
					if !errors.Is(err, tt.want) {
						t.Errorf("got %v, want %v", err, tt.want)
					}
					if err == nil {
						r.same() // as what is at the path now
						r.left(0, 0)
						if len(r.seen.of(Retrying)) == 0 {
							t.Error("no retry was reported")
						}
					} else if n := r.server.Count(osstest.OpCompleteMultipartUpload); n > 0 {
						t.Errorf("completed %d times", n)
					}
					if err := src.Close(); err != nil {
						t.Error(err)
					}
					if m.opened < 2 && tt.want == nil || m.closed != m.opened {
						t.Errorf("opened %d times, closed %d times", m.opened, m.closed)
					}
				})
			}
		}
	}
}
