package upload_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// Ways in which code of the user's does not return, with what the error says of each.
var noReturns = map[string]struct {
	do   func()
	says string
}{
	"a panic": {func() { panic("torn") }, "panicked: torn"},
	"Goexit":  {runtime.Goexit, "ended its goroutine"},
}

// An oddStore is a store one of whose methods, or of its uploads', does not return.
type oddStore struct {
	*checkpoint.Memory
	method string
	odd    func()
}

func (s *oddStore) call(method string) {
	if method == s.method {
		s.odd()
	}
}

func (s *oddStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	s.call("Open")
	u, err := s.Memory.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	return oddUpload{u.(checkpoint.Unbegun), s}, nil
}

func (s *oddStore) List(ctx context.Context) ([]checkpoint.Entry, error) {
	s.call("List")
	return s.Memory.List(ctx)
}

func (s *oddStore) Has(ctx context.Context, key checkpoint.Key) (bool, error) {
	s.call("Has")
	return s.Memory.Has(ctx, key)
}

type oddUpload struct {
	checkpoint.Unbegun
	s *oddStore
}

func (u oddUpload) Load() (checkpoint.Record, []checkpoint.Part, bool) {
	u.s.call("Load")
	return u.Unbegun.Load()
}
func (u oddUpload) Damaged() error { u.s.call("Damaged"); return u.Unbegun.Damaged() }
func (u oddUpload) Begin(ctx context.Context, rec checkpoint.Record) error {
	u.s.call("Begin")
	return u.Unbegun.Begin(ctx, rec)
}
func (u oddUpload) Add(p checkpoint.Part) error     { u.s.call("Add"); return u.Unbegun.Add(p) }
func (u oddUpload) Flush(ctx context.Context) error { u.s.call("Flush"); return u.Unbegun.Flush(ctx) }
func (u oddUpload) Remove() error                   { u.s.call("Remove"); return u.Unbegun.Remove() }
func (u oddUpload) Close() error                    { u.s.call("Close"); return u.Unbegun.Close() }
func (u oddUpload) Slowest() time.Duration          { u.s.call("Slowest"); return 0 }

// TestStoreThatDoesNotReturn: what a store does ends neither the process nor hangs a file.
func TestStoreThatDoesNotReturn(t *testing.T) {
	needed := []string{"Open", "Load", "Begin", "Add", "Flush"} // without the others, nothing is lost
	for name, no := range noReturns {
		for _, method := range append([]string{"Damaged", "Slowest", "Remove", "Close", "Has"}, needed...) {
			for _, optional := range []bool{false, true} {
				t.Run(method+", "+name, func(t *testing.T) {
					t.Parallel()
					b := newTestbed(t)
					b.opts.Checkpoints = &oddStore{checkpoint.NewMemory(), method, no.do}
					b.opts.CheckpointsOptional = optional
					f := b.file("a", 350*kib)
					_, err := b.client().Upload(b.ctx, f)
					fails := !optional && slices.Contains(needed, method)
					switch {
					case !fails && err != nil:
						t.Errorf("optional %t: got %v", optional, err)
					case !fails:
						b.same(f)
					case !errors.Is(err, upload.ErrCheckpoint) || !strings.Contains(err.Error(), no.says):
						t.Errorf("optional %t: got %v, want ErrCheckpoint that says %q", optional, err, no.says)
					}
				})
			}
		}
		t.Run("List, "+name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Checkpoints = &oddStore{checkpoint.NewMemory(), "List", no.do}
			if _, err := b.client().Sweep(b.ctx, upload.SweepOptions{Endpoint: b.server.URL, Bucket: bucket, OnlyThisMachine: true}); err == nil || !strings.Contains(err.Error(), no.says) {
				t.Errorf("Sweep: got %v, want %q", err, no.says)
			}
		})
	}
}

// TestRecordThatCannotBeLoadedStays: nothing is known of it, so that neither is it replaced
// nor removed.
func TestRecordThatCannotBeLoadedStays(t *testing.T) {
	b := newTestbed(t)
	store := &oddStore{Memory: checkpoint.NewMemory()}
	b.opts.Checkpoints, b.opts.Parallel = store, 1 // so that parts are there when the third fails
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3))
	f := b.file("a", 350*kib)
	if _, err := b.client().Upload(b.ctx, f); err == nil {
		t.Fatal("the first run succeeded")
	}
	store.method, store.odd = "Load", func() { panic("torn") }
	if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, upload.ErrCheckpoint) {
		t.Errorf("got %v, want ErrCheckpoint", err)
	}
	store.method = ""
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Times(10)) // a late request of the first run may meet one
	c := b.client()
	id := b.add(c, f)[0]
	start(t, b, c)
	if err := c.Wait(b.ctx); err == nil {
		t.Fatal("the third run succeeded")
	}
	store.method = "Load" // of the clean-up
	if err := errors.Join(c.DeleteFile(id), c.Close()); err != nil {
		t.Error(err)
	}
	store.method = ""
	b.server.ClearFaults()
	if res, err := b.client().Upload(b.ctx, f); err != nil || res.ResumedParts == 0 {
		t.Errorf("got %+v, %v; want parts resumed", res, err)
	}
}

// TestStoreThatOpensNothing returns neither an upload nor an error.
func TestStoreThatOpensNothing(t *testing.T) {
	b := newTestbed(t)
	b.opts.Checkpoints = emptyStore{checkpoint.NewMemory()}
	if _, err := b.client().Upload(b.ctx, b.file("a", 350*kib)); !errors.Is(err, upload.ErrCheckpoint) {
		t.Errorf("got %v, want ErrCheckpoint", err)
	}
}

type emptyStore struct{ *checkpoint.Memory }

func (emptyStore) Open(context.Context, checkpoint.Key) (checkpoint.Claim, error) { return nil, nil }

// TestGoexitFailsItsFile wherever code of the user's calls it.
func TestGoexitFailsItsFile(t *testing.T) {
	exiting := func(size int, method string) upload.Source {
		return &exitingSource{bytes.NewReader(make([]byte, size)), method, 0}
	}
	for name, set := range map[string]func(b *testbed, size int) upload.File{
		"ReadAt of a Source": func(b *testbed, size int) upload.File {
			f := b.to("s")
			f.Source = exiting(size, "ReadAt")
			return f
		},
		"Size of a Source": func(b *testbed, size int) upload.File {
			f := b.to("s")
			f.Source = exiting(size, "Size")
			return f
		},
		"Fingerprint of a Source": func(b *testbed, size int) upload.File {
			f := b.to("s")
			f.Source = exiting(size, "Fingerprint")
			return f
		},
		"Read of a Reader": func(b *testbed, size int) upload.File {
			f := b.to("s")
			f.Reader = io.MultiReader(bytes.NewReader(make([]byte, size-1)), readerFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil }))
			return f
		},
		"Open of an FS": func(b *testbed, size int) upload.File {
			f := b.file("a", size)
			f.FS, f.Path = &exitingFS{FS: os.DirFS(b.dir), method: "Open"}, "a"
			return f
		},
		"Stat of an FS": func(b *testbed, size int) upload.File {
			f := b.file("a", size)
			f.FS, f.Path = &exitingFS{FS: os.DirFS(b.dir), method: "Stat"}, "a"
			return f
		},
		"Authorize": func(b *testbed, size int) upload.File {
			f := b.file("a", size)
			f.Endpoint, f.Bucket, f.Object = "", "", ""
			b.opts.Authorizer = &media{b: b, authorize: func(context.Context, upload.FileInfo) error { runtime.Goexit(); return nil }}
			return f
		},
		"RoundTrip": func(b *testbed, size int) upload.File {
			b.opts.RetryCount = -1
			b.opts.HTTPClient = &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil })}
			return b.file("a", size)
		},
	} {
		for _, size := range []int{50 * kib, 350 * kib} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := newTestbed(t)
				f := set(b, size)
				if _, err := b.client().Upload(b.ctx, f); err == nil || !strings.Contains(err.Error(), "ended its goroutine, as runtime.Goexit") {
					t.Errorf("%d bytes: got %v, want that it ended its goroutine", size, err)
				}
				if n := len(b.server.Objects(bucket)); n > 0 {
					t.Errorf("there are %d objects", n)
				}
			})
		}
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// An exitingSource ends the goroutine of each call of a method but the first two: those
// of AddFile.
type exitingSource struct {
	*bytes.Reader
	method string
	calls  int
}

func (s *exitingSource) ReadAt(p []byte, off int64) (int, error) {
	if s.method == "ReadAt" {
		runtime.Goexit()
	}
	return s.Reader.ReadAt(p, off)
}

func (s *exitingSource) late(method string) {
	if s.method != method {
		return
	}
	if s.calls++; s.calls > 2 {
		runtime.Goexit()
	}
}

func (s *exitingSource) Size() int64         { s.late("Size"); return s.Reader.Size() }
func (s *exitingSource) Fingerprint() string { s.late("Fingerprint"); return "v1" }

// An exitingFS ends the goroutine of each call of a method but the first: that of AddFile.
type exitingFS struct {
	fs.FS
	method string
	calls  int
}

func (e *exitingFS) late(method string) {
	if e.method != method {
		return
	}
	if e.calls++; e.calls > 1 {
		runtime.Goexit()
	}
}

func (e *exitingFS) Open(name string) (fs.File, error) { e.late("Open"); return e.FS.Open(name) }
func (e *exitingFS) Stat(name string) (fs.FileInfo, error) {
	e.late("Stat")
	return fs.Stat(e.FS, name)
}

// TestAuthorizeThatDoesNotReturn may have made a video.
func TestAuthorizeThatDoesNotReturn(t *testing.T) {
	for name, no := range noReturns {
		b, m, f := newMedia(t, 1000)
		m.authorize = func(context.Context, upload.FileInfo) error { no.do(); return nil }
		if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, upload.ErrAnswerLost) || !strings.Contains(err.Error(), no.says) {
			t.Errorf("%s: got %v, want ErrAnswerLost that says %q", name, err, no.says)
		}
	}
}

// TestRenewThatDoesNotReturn is asked again.
func TestRenewThatDoesNotReturn(t *testing.T) {
	t.Parallel() // it waits most of the time
	for _, no := range noReturns {
		b, m, f := newMedia(t, 350*kib)
		b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(2))
		m.renew = func() error {
			if m.renewed == 1 {
				m.mu.Unlock() // what holds a lock would keep it
				defer m.mu.Lock()
				no.do()
			}
			return nil
		}
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		b.there(f, "video1")
		b.server.AssertFired(t)
	}
}

// TestGoexitOfAProvider is like an error of it: the next call may succeed.
func TestGoexitOfAProvider(t *testing.T) {
	b := newTestbed(t)
	calls := 0
	b.opts.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
		if calls++; calls == 1 {
			runtime.Goexit()
		}
		return defaultKey, nil
	})
	f := b.file("a", 350*kib)
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	b.same(f)
}

// TestGoexitOfAClose of a Reader loses nothing; of a file of an FS, the look at it fails.
func TestGoexitOfAClose(t *testing.T) {
	b := newTestbed(t)
	f := b.file("a", 350*kib)
	data := must(os.ReadFile(f.Path))
	inFS, reader := f, f
	inFS.FS, inFS.Path = closeExitsFS{os.DirFS(b.dir)}, "a"
	reader.Reader = closeExits{bytes.NewReader(data)}
	c := b.client()
	if _, err := c.Upload(b.ctx, inFS); err == nil || !strings.Contains(err.Error(), "opening the source ended its goroutine") {
		t.Errorf("FS: got %v, want what ended its goroutine", err)
	}
	if _, err := c.Upload(b.ctx, reader); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	b.same(f)
	b.clean()
}

type closeExits struct{ *bytes.Reader }

func (closeExits) Close() error { runtime.Goexit(); return nil }

type closeExitsFS struct{ fs.FS }

func (c closeExitsFS) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return closeExitsFile{f.(*os.File)}, nil
}

type closeExitsFile struct{ *os.File }

func (closeExitsFile) Close() error { runtime.Goexit(); return nil }

// TestStoreThatHangsIsNamed by Upload and by Close.
func TestStoreThatHangsIsNamed(t *testing.T) {
	for method, says := range map[string]string{
		"Open": "opening the checkpoint", "Load": "loading the checkpoint", "Begin": "writing the checkpoint",
		"Add": "writing the checkpoint", "Remove": "removing the checkpoint",
	} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { storeHangs(t, method, says+" has not returned for") })
		})
	}
}

func storeHangs(t *testing.T, method, says string) {
	b := newDirectTestbed(t)
	release, hangs := make(chan struct{}), make(chan struct{}, 100)
	b.opts.Checkpoints = &oddStore{checkpoint.NewMemory(), method, func() {
		hangs <- struct{}{}
		<-release
	}}
	c := b.client()
	ctx, cancel := context.WithCancel(b.ctx)
	go func() {
		<-hangs
		cancel()
	}()
	if _, err := c.Upload(ctx, b.bytesOf("a", 350*kib)); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), says) {
		t.Errorf("Upload: got %v, want %q", err, says)
	}
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("Close: got %v, want %q", err, says)
	}
	close(release)
	time.Sleep(2 * upload.DefaultCleanupTimeout) // until what was given up has ended
}

// TestStoreThatHangsInACleanUpIsNamed by Close.
func TestStoreThatHangsInACleanUpIsNamed(t *testing.T) {
	synctest.Test(t, storeHangsInACleanUp)
}

func storeHangsInACleanUp(t *testing.T) {
	b := newDirectTestbed(t)
	release, hangs := make(chan struct{}), make(chan struct{}, 100)
	store := &oddStore{Memory: checkpoint.NewMemory()}
	b.opts.Checkpoints = store
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3))
	c := b.client()
	id := b.add(c, b.bytesOf("a", 350*kib))[0]
	start(t, b, c)
	if err := c.Wait(b.ctx); err == nil {
		t.Fatal("the run succeeded")
	}
	store.method, store.odd = "Open", func() {
		hangs <- struct{}{}
		<-release
	}
	if err := c.DeleteFile(id); err != nil {
		t.Error(err)
	}
	<-hangs
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "opening the checkpoint has not returned for") {
		t.Errorf("got %v, want what hangs", err)
	}
	close(release)
	time.Sleep(2 * upload.DefaultCleanupTimeout) // until what was given up has ended
}
