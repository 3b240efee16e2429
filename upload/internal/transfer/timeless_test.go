package transfer

import (
	"bytes"
	"io/fs"
	"sync"
	"testing"
	"time"
)

// A timelessFS is one file whose inode and change time are not known, and whose
// modification time stays as it is whatever is written.
type timelessFS struct {
	mu   sync.RWMutex
	data []byte
}

func (t *timelessFS) Open(string) (fs.File, error) { return t, nil }
func (t *timelessFS) Stat() (fs.FileInfo, error)   { return timelessInfo(len(t.data)), nil }
func (t *timelessFS) Close() error                 { return nil }

func (t *timelessFS) Read([]byte) (int, error) { return 0, fs.ErrInvalid }

func (t *timelessFS) ReadAt(p []byte, off int64) (int, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return bytes.NewReader(t.data).ReadAt(p, off)
}

func (t *timelessFS) write(off int, b []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	copy(t.data[off:], b)
}

type timelessInfo int64

func (i timelessInfo) Name() string     { return "a" }
func (i timelessInfo) Size() int64      { return int64(i) }
func (timelessInfo) Mode() fs.FileMode  { return 0o600 }
func (timelessInfo) ModTime() time.Time { return time.Unix(1e9, 0) }
func (timelessInfo) IsDir() bool        { return false }
func (timelessInfo) Sys() any           { return nil }

// An afterRead source calls then once, after the first read of its first byte.
type afterRead struct {
	Source
	once sync.Once
	then func()
}

func (s *afterRead) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Source.ReadAt(p, off)
	if off == 0 {
		s.once.Do(s.then)
	}
	return n, err
}

func TestBytesChangeUnderTheSameTimes(t *testing.T) {
	t.Run("of a part that was sent: ErrFileChanged, and no object", func(t *testing.T) {
		fsys := &timelessFS{data: data(fiveParts, 1)}
		r := newTestbed(t, fiveParts)
		r.source = must(OpenFS(fsys, "a"))
		r.amidParts(func(sent, _ int) { fsys.write((sent-1)*partSize+10, []byte("other bytes")) })
		r.fails(ErrChanged)
		r.counts("Initiate 1, Part 5, Abort 1, List 1")
		r.left(0, 0)
	})
	t.Run("of a file that is sent at once: ErrFileChanged, and no object", func(t *testing.T) {
		fsys := &timelessFS{data: data(partSize, 1)}
		r := newTestbed(t, partSize)
		file := must(OpenFS(fsys, "a"))
		r.source = &afterRead{Source: file, then: func() { fsys.write(0, []byte("other bytes")) }}
		r.fails(ErrChanged)
		if err := r.server.WaitIdle(r.ctx); err != nil {
			t.Fatal(err)
		}
		if _, ok := r.server.Object(media, name); ok {
			t.Error("the object is there")
		}
	})
	t.Run("not at all: the parts are sent once", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.source = must(OpenFS(&timelessFS{data: data(fiveParts, 1)}, "a"))
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 1")
	})
}
