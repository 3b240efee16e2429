package upload_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A restless source is another as soon as it has been read from.
type restless struct {
	*changing
}

func (r restless) ReadAt(p []byte, off int64) (int, error) {
	r.set("v2")
	return r.Reader.ReadAt(p, off)
}

// A lockable file system refuses to open anything once it is locked.
type lockable struct {
	fs.FS
	locked atomic.Bool
}

func (l *lockable) Open(name string) (fs.File, error) {
	if l.locked.Load() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.FS.Open(name)
}

// run uploads one file of a list, does something between AddFile and its turn, and
// returns what Wait returned.
func (b *testbed) run(f upload.File, between func()) error {
	b.t.Helper()
	c := b.client()
	_ = must(c.AddFile(f))
	between()
	if err := c.Start(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	return c.Wait(b.ctx)
}

func TestCodesOfSentinels(t *testing.T) {
	for _, tt := range []struct {
		code string
		is   error
		fail func(b *testbed) error
	}{
		{upload.CodeFileChanged, upload.ErrFileChanged, func(b *testbed) error {
			f := b.to("s")
			f.Source = restless{&changing{Reader: bytes.NewReader(make([]byte, mib)), print: "v1"}}
			_, err := b.client().Upload(b.ctx, f)
			return err
		}},
		{upload.CodeFileNotExist, fs.ErrNotExist, func(b *testbed) error {
			f := b.file("a.mp4", mib)
			return b.run(f, func() {
				if err := os.Remove(f.Path); err != nil {
					b.t.Fatal(err)
				}
			})
		}},
		{upload.CodePermissionDenied, fs.ErrPermission, func(b *testbed) error {
			f := b.file("a.mp4", mib)
			fsys := &lockable{FS: os.DirFS(b.dir)}
			f.FS, f.Path = fsys, "a.mp4"
			return b.run(f, func() { fsys.locked.Store(true) })
		}},
		{upload.CodeInUse, upload.ErrInUse, func(b *testbed) error {
			f, hold := b.file("a.mp4", mib), osstest.Hang(osstest.OpUploadPart)
			b.server.Inject(hold)
			first := b.client()
			_ = must(first.AddFile(f))
			if err := first.Start(b.ctx); err != nil {
				b.t.Fatal(err)
			}
			<-hold.Fired()
			_, err := b.client().Upload(b.ctx, f)
			hold.Release()
			if err := first.Wait(b.ctx); err != nil {
				b.t.Errorf("the first client: %v", err)
			}
			return err
		}},
		{upload.CodeIntegrity, upload.ErrIntegrity, func(b *testbed) error {
			b.server.Inject(osstest.WrongCRC64(osstest.OpCompleteMultipartUpload))
			_, err := b.client().Upload(b.ctx, b.file("a.mp4", mib))
			return err
		}},
		{upload.CodeClosed, upload.ErrClosed, func(b *testbed) error {
			hold := osstest.Hang(osstest.OpUploadPart)
			b.server.Inject(hold)
			c, failed := b.client(), make(chan error, 1)
			f := b.file("a.mp4", mib)
			go func() {
				_, err := c.Upload(b.ctx, f)
				failed <- err
			}()
			<-hold.Fired()
			if err := c.Close(); err != nil {
				b.t.Error(err)
			}
			return <-failed
		}},
	} {
		t.Run(tt.code, func(t *testing.T) {
			b := newTestbed(t)
			err := tt.fail(b)
			var one *upload.Error
			if !errors.As(err, &one) || one.Code != tt.code || !errors.Is(err, tt.is) {
				t.Fatalf("got %v, want an upload.Error with the code %s that is %q", err, tt.code, tt.is)
			}
			if one.Path == "" || !strings.Contains(err.Error(), tt.code) {
				t.Errorf("got %q about the path %q, want both to be told", err, one.Path)
			}
			b.server.AssertFired(t)
		})
	}
}

func TestNoPermissionAtAddFile(t *testing.T) {
	b := newTestbed(t)
	f := b.file("a.mp4", 10)
	fsys := &lockable{FS: os.DirFS(b.dir)}
	fsys.locked.Store(true)
	f.FS, f.Path = fsys, "a.mp4"
	_, err := b.client().AddFile(f)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "File.Path") || !strings.Contains(err.Error(), "a.mp4") {
		t.Errorf("got %v, want fs.ErrPermission that names File.Path and a.mp4", err)
	}
}
