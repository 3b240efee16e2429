package upload_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vodupload/vodupload/upload"
)

// misbehaviours are what code of users does instead of returning.
var misbehaviours = map[string]func(){
	"panicked":            func() { panic("of the user's") },
	"ended its goroutine": runtime.Goexit,
}

// A fallibleFS calls fail in the method of a name.
type fallibleFS struct {
	fstest.MapFS
	method string
	fail   func()
}

func (f fallibleFS) failIn(method string) {
	if f.method == method {
		f.fail()
	}
}

func (f fallibleFS) Open(name string) (fs.File, error) {
	f.failIn("Open")
	return f.MapFS.Open(name)
}

func (f fallibleFS) ReadDir(name string) ([]fs.DirEntry, error) {
	f.failIn("ReadDir")
	return f.MapFS.ReadDir(name)
}

func (f fallibleFS) Stat(name string) (fs.FileInfo, error) {
	f.failIn("Stat")
	return f.MapFS.Stat(name)
}

// TestAddDirOfAFileSystemThatDoesNotReturn: a folder that was not read is not empty.
func TestAddDirOfAFileSystemThatDoesNotReturn(t *testing.T) {
	for how, fail := range misbehaviours {
		for method, what := range map[string]string{
			"Open": "reading the playlist d/a.m3u8", "ReadDir": "reading the folder d", "Stat": "looking at d",
		} {
			t.Run(method+" "+how, func(t *testing.T) {
				b := newTestbed(t)
				c := b.client()
				opts := b.into("in")
				opts.File.FS = fallibleFS{fstest.MapFS{"d/a.m3u8": {Data: []byte("#EXTM3U")}}, method, fail}
				opts.PlaylistsLast = true
				ids, err := c.AddDir(b.ctx, "d", opts)
				var failed upload.AddDirErrors
				if !errors.As(err, &failed) || len(failed) != 1 || len(ids) != 0 || !strings.Contains(err.Error(), what+" "+how) {
					t.Errorf("got %d files and %v, want an error that says %q", len(ids), err, what+" "+how)
				}
			})
		}
	}
}

func TestVarsOfThatDoesNotReturn(t *testing.T) {
	for how, fail := range misbehaviours {
		t.Run(how, func(t *testing.T) {
			b := newTestbed(t)
			f := b.file("a", 250*kib)
			f.Options = &upload.ObjectOptions{Callback: &upload.Callback{
				URLs: []string{"http://127.0.0.1/"}, VarsOf: func(_, _ string) map[string]string { fail(); return nil },
			}}
			_, err := b.client().Upload(b.ctx, f)
			if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "Callback.VarsOf "+how) {
				t.Errorf("got %v, want an error that says that Callback.VarsOf %s", err, how)
			}
		})
	}
}

// TestStatWhoseObserverEndsTheGoroutine: what was not asked for is no object of 0 bytes.
func TestStatWhoseObserverEndsTheGoroutine(t *testing.T) {
	b := newTestbed(t)
	b.opts.Observer = &upload.Observer{RequestStart: func(context.Context, upload.Request) context.Context {
		runtime.Goexit()
		return nil
	}}
	o, err := b.client().Stat(b.ctx, upload.StatOptions{Endpoint: b.server.URL, Bucket: bucket, Object: "a"})
	if err == nil || !strings.Contains(err.Error(), "ended its goroutine") {
		t.Errorf("got %+v and %v, want an error that says what ended", o, err)
	}
}
