package upload_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
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

// TestObserverAndLoggerThatEndTheirGoroutine in each call end nothing else.
func TestObserverAndLoggerThatEndTheirGoroutine(t *testing.T) {
	b := newTestbed(t)
	var mu sync.Mutex
	called := make(map[string]bool)
	exit := func(name string) {
		mu.Lock()
		called[name] = true
		mu.Unlock()
		runtime.Goexit()
	}
	b.opts.Observer = &upload.Observer{
		FileStart:    func(ctx context.Context, _ upload.FileInfo) context.Context { exit("FileStart"); return ctx },
		FileEnd:      func(context.Context, upload.FileInfo) { exit("FileEnd") },
		Resumed:      func(context.Context, upload.FileInfo, []int) { exit("Resumed") },
		RequestStart: func(ctx context.Context, _ upload.Request) context.Context { exit("RequestStart"); return ctx },
		RequestEnd:   func(context.Context, upload.Request, upload.Outcome) { exit("RequestEnd") },
		Flush:        func(context.Context, upload.FileID, time.Duration, error) { exit("Flush") },
		Wait:         func(upload.FileID, upload.Waiting, time.Duration) { exit("Wait") },
	}
	b.opts.Logger = slog.New(exitHandler{slog.DiscardHandler, exit})
	b.server.Inject(
		osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(1),
		osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3),
	)
	b.opts.Credentials = nil
	b.opts.Callbacks.OnTokenExpired = func(*upload.Client, upload.FileInfo) {}
	b.opts.Parallel = 1
	c := b.client()
	f := b.file("a", 350*kib)
	id := b.add(c, f)[0]
	start(t, b, c)
	b.eventually("it waits", func() bool { return must(c.File(id)).Waiting != nil })
	b.do(c.ResumeWithToken(defaultKey))
	if err := c.Wait(b.ctx); err == nil {
		t.Error("got no error, want AccessDenied")
	}
	b.do(errors.Join(c.ResumeFile(id), c.Wait(b.ctx)))
	b.same(f)
	if _, err := c.Stat(b.ctx, upload.StatOptions{Endpoint: f.Endpoint, Bucket: f.Bucket, Object: f.Object}); err != nil {
		t.Error(err)
	}
	b.do(c.Close())
	for _, name := range []string{"FileStart", "FileEnd", "Resumed", "RequestStart", "RequestEnd", "Flush", "Wait",
		"retry", "failed", "uploaded", "Observer.RequestStart"} {
		if mu.Lock(); !called[name] {
			t.Errorf("%s was not called", name)
		}
		mu.Unlock()
	}
	b.clean()
}

// An exitHandler calls exit with the message of each record.
type exitHandler struct {
	slog.Handler
	exit func(string)
}

func (exitHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h exitHandler) Handle(_ context.Context, r slog.Record) error { h.exit(r.Message); return nil }

// TestLoggerThatEndsItsGoroutineInEnabled ends no run: the file is uploaded, and its client
// can be closed.
func TestLoggerThatEndsItsGoroutineInEnabled(t *testing.T) {
	b := newTestbed(t)
	asked := make(chan slog.Level, 1)
	b.opts.Logger = slog.New(enabledHandler{slog.DiscardHandler, func(l slog.Level) {
		select {
		case asked <- l:
		default:
		}
		runtime.Goexit()
	}})
	c := b.client()
	f := b.file("a", 250*kib)
	b.returns(func() error {
		_, err := c.Upload(b.ctx, f)
		return errors.Join(err, c.Close())
	})
	b.same(f)
	if len(asked) == 0 {
		t.Error("Enabled was not called")
	}
}

// An enabledHandler calls enabled with the level that it is asked for.
type enabledHandler struct {
	slog.Handler
	enabled func(slog.Level)
}

func (h enabledHandler) Enabled(_ context.Context, l slog.Level) bool { h.enabled(l); return true }
