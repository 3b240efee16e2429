package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// TestUploadDoesNotWaitForASourceThatHangs longer than a second after its context ended.
func TestUploadDoesNotWaitForASourceThatHangs(t *testing.T) {
	t.Parallel() // it waits most of the time
	for _, size := range []int{50 * kib, 350 * kib} {
		b := newTestbed(t)
		release, hangs := make(chan struct{}), make(chan struct{}, 100)
		f := b.to("s")
		f.Source = &faulty{Reader: bytes.NewReader(make([]byte, size)), fail: func(_, _ int64) error {
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
	t.Parallel() // it waits most of the time
	b := newTestbed(t)
	b.opts.CleanupTimeout = 50 * time.Millisecond
	release, hangs := make(chan struct{}), make(chan struct{}, 100)
	f := b.to("s")
	f.Source = &faulty{Reader: bytes.NewReader(make([]byte, 50*kib)), fail: func(_, _ int64) error {
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
	t.Parallel() // it waits most of the time
	for from, want := range map[int32]string{1: "looking at the source", 2: "opening the source has not returned", 3: "looking at the source has not returned"} {
		b := newTestbed(t)
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

// TestUploadIsEndedByOthersWhileItsSourceHangs, and does not wait for it either.
func TestUploadIsEndedByOthersWhileItsSourceHangs(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(c *upload.Client, id upload.FileID) error
		want error
	}{
		"Stop":       {func(c *upload.Client, _ upload.FileID) error { return c.Stop() }, upload.ErrStopped},
		"CancelFile": {func(c *upload.Client, id upload.FileID) error { return c.CancelFile(id) }, upload.ErrCanceled},
		"DeleteFile": {func(c *upload.Client, id upload.FileID) error { return c.DeleteFile(id) }, upload.ErrCanceled},
		"ClearFiles": {func(c *upload.Client, _ upload.FileID) error { return c.ClearFiles() }, upload.ErrCanceled},
		"Close": {func(c *upload.Client, _ upload.FileID) error {
			go func() { _ = c.Close() }()
			return nil
		}, upload.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t)
			release, hangs := make(chan struct{}), make(chan struct{}, 100)
			f := b.to("s")
			f.Source = &faulty{Reader: bytes.NewReader(make([]byte, 350*kib)), fail: func(_, _ int64) error {
				hangs <- struct{}{}
				<-release
				return nil
			}}
			c := b.client()
			ended := make(chan error, 1)
			go func() {
				<-hangs
				ended <- errors.Join(c.Start(b.ctx), tt.end(c, c.Files()[0].ID))
			}()
			_, err := c.Upload(b.ctx, f)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), "reading the source at byte 0 has not returned for") {
				t.Errorf("got %v, want %v and what hangs", err, tt.want)
			}
			close(release)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			b.eventually("the file to leave the list", func() bool { return len(c.Files()) == 0 })
		})
	}
}

func TestUploadOfASourceThatCannotBeLookedAtEndsWithItsClient(t *testing.T) {
	t.Parallel() // it waits most of the time
	b := newTestbed(t)
	b.opts.CleanupTimeout = 50 * time.Millisecond
	b.written("a", "O", 50*kib)
	h := hangingFS{os.DirFS(b.dir), new(atomic.Int32), 1, make(chan struct{}), make(chan struct{}, 100)}
	f := b.folder("a")
	f.FS = h
	c := b.client()
	go func() {
		<-h.hangs
		_ = c.Close()
	}()
	if _, err := c.Upload(b.ctx, f); !errors.Is(err, upload.ErrClosed) || !strings.Contains(err.Error(), "looking at the source") {
		t.Errorf("got %v, want ErrClosed", err)
	}
	close(h.release)
}

// A source that holds up its request for longer than StallTimeout is named, not the network.
func TestSourceThatHoldsUpARequest(t *testing.T) {
	for _, size := range []int{50 * kib, 350 * kib} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel() // it waits most of the time
			b := newTestbed(t)
			b.opts.StallTimeout = 200 * time.Millisecond
			b.opts.Parallel = 1
			var retries []string // on a busy machine, others may follow that one
			b.opts.Callbacks.OnRetry = func(_ *upload.Client, _ upload.FileInfo, r upload.Retry) {
				retries = append(retries, r.Err.Error())
			}
			var slow atomic.Bool
			f := b.to("s")
			f.Options = &upload.ObjectOptions{ContentType: "video/mp4"}
			f.Source = &faulty{Reader: bytes.NewReader(make([]byte, size)), fail: func(_, end int64) error {
				if end > int64(size)/2 && slow.CompareAndSwap(false, true) {
					for range 40 { // two seconds, in steps: where the machine stalls, that is one of them
						time.Sleep(50 * time.Millisecond)
					}
				}
				return nil
			}}
			if _, err := b.client().Upload(b.ctx, f); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(retries, func(text string) bool { return strings.Contains(text, "the source is too slow: reading it at byte") }) {
				t.Errorf("got retries for %q, want the source named", retries)
			}
		})
	}
}
