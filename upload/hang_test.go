package upload_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// TestUploadDoesNotWaitForASourceThatHangs longer than a second after its context ended.
func TestUploadDoesNotWaitForASourceThatHangs(t *testing.T) {
	for _, size := range []int{50 * kib, 350 * kib} {
		b := newBench(t)
		release, hangs := make(chan struct{}), make(chan struct{}, 100)
		f := b.to("s")
		f.Source = &faulty{Reader: bytes.NewReader(make([]byte, size)), fail: func(int64) error {
			hangs <- struct{}{}
			<-release
			return nil
		}}
		c := b.client()
		ctx, cancel := context.WithCancel(b.ctx)
		go func() {
			<-hangs
			cancel()
		}()
		_, err := c.Upload(ctx, f)
		var e *upload.Error
		if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Code != upload.CodeContextEnded || !strings.Contains(err.Error(), "reading the source at byte 0 has not returned for") {
			t.Errorf("got %v, want what hangs", err)
		}
		if files := c.Files(); len(files) != 1 || files[0].State != upload.FileUploading {
			t.Errorf("got %+v, want the file, still uploading", files)
		}
		if _, err := c.Upload(b.ctx, f); !errors.Is(err, upload.ErrFileAlreadyExist) {
			t.Errorf("got %v, want ErrFileAlreadyExist", err)
		}
		close(release)
		b.eventually("the file to leave the list", func() bool { return len(c.Files()) == 0 })
		if _, err := c.Upload(b.ctx, f); err != nil {
			t.Errorf("once more: %v", err)
		}
	}
}

func TestCloseSaysAtWhatASourceHangs(t *testing.T) {
	b := newBench(t)
	b.opts.CleanupTimeout = 50 * time.Millisecond
	release, hangs := make(chan struct{}), make(chan struct{}, 100)
	f := b.to("s")
	f.Source = &faulty{Reader: bytes.NewReader(make([]byte, 50*kib)), fail: func(int64) error {
		hangs <- struct{}{}
		<-release
		return nil
	}}
	c := b.client()
	b.add(c, f)
	start(t, b, c)
	<-hangs
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "somewhere/s: reading the source at byte 0 has not returned for") {
		t.Errorf("got %v, want the file, and what hangs", err)
	}
	close(release)
}

// A hangingFS hangs in Stat from some call on.
type hangingFS struct {
	fs.FS
	calls   *atomic.Int32
	from    int32
	release chan struct{}
	hangs   chan struct{}
}

func (h hangingFS) Stat(name string) (fs.FileInfo, error) {
	if h.calls.Add(1) >= h.from {
		h.hangs <- struct{}{}
		<-h.release
	}
	return fs.Stat(h.FS, name)
}

func TestUploadDoesNotWaitForAStatThatHangs(t *testing.T) {
	for from, want := range map[int32]string{1: "looking at the source", 2: "opening the source has not returned", 3: "looking at the source has not returned"} {
		b := newBench(t)
		b.written("a", "O", 50*kib)
		h := hangingFS{os.DirFS(b.dir), new(atomic.Int32), from, make(chan struct{}), make(chan struct{}, 100)}
		f := b.folder("a")
		f.FS = h
		c := b.client()
		ctx, cancel := context.WithCancel(b.ctx)
		go func() {
			<-h.hangs
			cancel()
		}()
		if _, err := c.Upload(ctx, f); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		close(h.release)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
