package upload_test

import (
	"bytes"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

//go:embed *_test.go
var sources embed.FS

func writeFile(t *testing.T, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// content returns the bytes of an object. It may be called on any goroutine, and so does
// not end it.
func (b *testbed) content(object string) []byte {
	b.t.Helper()
	o, ok := b.server.Object(bucket, object)
	if !ok {
		b.t.Errorf("no object %s", object)
		return nil
	}
	r := must(o.Open())
	defer r.Close()
	return must(io.ReadAll(r))
}

// to is a file without a source.
func (b *testbed) to(object string) upload.File {
	return upload.File{Path: "somewhere/" + object, Endpoint: b.server.URL, Bucket: bucket, Object: object}
}

func TestSources(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	data := must(os.ReadFile(b.file("a", 350*kib).Path))
	for name, set := range map[string]func(*upload.File){
		"bytes in memory": func(f *upload.File) { f.Source = upload.NewSource(bytes.NewReader(data), int64(len(data)), "v1") },
		"no fingerprint":  func(f *upload.File) { f.Source = upload.NewSource(bytes.NewReader(data), int64(len(data)), "") },
		"section of a file": func(f *upload.File) {
			f.Source = upload.NewSource(io.NewSectionReader(bytes.NewReader(append([]byte("head"), data...)), 4, int64(len(data))), int64(len(data)), "v1@4")
		},
		"reader":                  func(f *upload.File) { f.Reader = bytes.NewReader(data) },
		"halting reader":          func(f *upload.File) { f.Reader = iotest.HalfReader(bytes.NewReader(data)) },
		"folder as a file system": func(f *upload.File) { f.FS, f.Path = os.DirFS(b.dir), "a" },
	} {
		f := b.to("sources/" + name)
		set(&f)
		r, err := c.Upload(b.ctx, f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(b.content(f.Object), data) || r.Size != int64(len(data)) || r.Parts != 4 {
			t.Errorf("%s: the object has other bytes, or %+v is wrong", name, r)
		}
	}
	b.clean()
}

func TestEmbeddedFile(t *testing.T) {
	b := newTestbed(t)
	f := b.to("e.go")
	f.FS, f.Path = sources, "source_test.go"
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	if want := must(fs.ReadFile(sources, "source_test.go")); !bytes.Equal(b.content("e.go"), want) {
		t.Error("the object has other bytes")
	}
}

func TestSourceThatChanges(t *testing.T) {
	b := newTestbed(t)
	src := &changing{Reader: bytes.NewReader(make([]byte, mib)), print: "v1"}
	// The second part is not answered before the first has changed the source.
	second := osstest.Hang(osstest.OpUploadPart).Nth(2)
	b.opts.Parallel = 1
	b.opts.Callbacks.OnProgress = func(_ *upload.Client, _ upload.FileInfo, uploaded, _ int64) {
		if uploaded > 0 {
			src.set("v2")
			second.Release()
		}
	}
	b.server.Inject(second)
	f := b.to("s")
	f.Source = src
	if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, upload.ErrFileChanged) {
		t.Errorf("got %v, want ErrFileChanged", err)
	}
	b.clean()
}

type changing struct {
	*bytes.Reader
	mu    sync.Mutex
	print string
}

func (c *changing) set(print string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.print = print
}

func (c *changing) Fingerprint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.print
}

func TestAddDir(t *testing.T) {
	b := newTestbed(t)
	for _, name := range []string{"tree/a.mp4", "tree/sub/b.ts", "tree/sub/ü 影.m3u8", "tree/tmp/c.mp4", "tree/.hidden"} {
		b.file(name, 1000)
	}
	if err := os.Symlink("a.mp4", b.dir+"/tree/link"); err != nil {
		t.Skip("no symbolic links here: needs the right to make them")
	}
	c := b.client()
	opts := b.into("vod/")
	opts.Func = func(_ *upload.File, d fs.DirEntry) (bool, error) {
		return d.Name() == "tmp" || d.Name() == "link" || strings.HasPrefix(d.Name(), "."), nil
	}
	ids, err := c.AddDir(b.ctx, b.dir+"/tree", opts)
	if err != nil || len(ids) != 3 {
		t.Fatalf("got %d files, %v; want 3", len(ids), err)
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range b.server.Objects(bucket) {
		got = append(got, o.Key)
	}
	if want := "vod/a.mp4 vod/sub/b.ts vod/sub/ü 影.m3u8"; strings.Join(got, " ") != want {
		t.Errorf("got objects %q, want %q", got, want)
	}
	if _, err := c.AddDir(b.ctx, b.dir+"/none", b.into("")); !errors.Is(err, upload.ErrFileNotExist) || !strings.Contains(err.Error(), b.dir+"/none") {
		t.Errorf("got %v, want ErrFileNotExist of the folder", err)
	}
}

func TestSourceGoneAfterAddFile(t *testing.T) {
	for name, authorized := range map[string]bool{"with a destination": false, "with an Authorizer": true} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			f := b.file("a.mp4", 10)
			if authorized {
				b, _, f = newMedia(t, 10)
			}
			c := b.client()
			b.add(c, f)
			if err := os.Remove(f.Path); err != nil {
				t.Fatal(err)
			}
			start(t, b, c)
			err := c.Wait(b.ctx)
			var e *upload.Error
			if !errors.Is(err, upload.ErrFileNotExist) || !errors.As(err, &e) || e.Code != upload.CodeFileNotExist {
				t.Errorf("got %v, want ErrFileNotExist", err)
			}
		})
	}
}

// inMemory is a file of one letter without a fingerprint.
func (b *testbed) inMemory(letter string) upload.File {
	f := b.to("mem")
	f.Source = upload.NewSource(strings.NewReader(strings.Repeat(letter, mib)), mib, "")
	return f
}

func TestSourcesWithoutFingerprint(t *testing.T) {
	for _, list := range []string{"with the server's list", "with the record's word"} {
		t.Run("other bytes of the same name and size are sent, "+list, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Parallel = 1
			c := b.client()
			b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(6))
			if _, err := c.Upload(b.ctx, b.inMemory("O")); err == nil {
				t.Fatal("got success of the first")
			}
			if list == "with the record's word" {
				b.server.Inject(osstest.Fail(osstest.OpListParts, 403, "AccessDenied").Always())
			}
			r, err := c.Upload(b.ctx, b.inMemory("N"))
			if err != nil || r.ResumedParts != 0 {
				t.Fatalf("got %d parts resumed, %v; want none", r.ResumedParts, err)
			}
			b.only("mem", "N")
			b.clean()
		})
	}
	t.Run("the same bytes go on", func(t *testing.T) {
		b := newTestbed(t)
		b.opts.Parallel = 1
		c := b.client()
		b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(6))
		if _, err := c.Upload(b.ctx, b.inMemory("O")); err == nil {
			t.Fatal("got success of the first")
		}
		if r, err := c.Upload(b.ctx, b.inMemory("O")); err != nil || r.ResumedParts < 3 {
			t.Errorf("got %d parts resumed, %v; want those that were sent", r.ResumedParts, err)
		}
		b.clean()
	})
}

// An asking source calls fn when it is asked for its fingerprint.
type asking struct {
	io.ReaderAt
	print string
	fn    func()
}

func (a *asking) Size() int64         { return mib }
func (a *asking) Fingerprint() string { a.fn(); return a.print }

// The client's lock is free while user code runs: else this would hang.
func TestFingerprintMayAskTheClient(t *testing.T) {
	for _, print := range []string{"v1", ""} {
		b := newTestbed(t)
		b.opts.Parallel = 1
		c := b.client()
		var asked atomic.Int32
		f := b.to("x")
		f.Source = &asking{bytes.NewReader(make([]byte, mib)), print, func() {
			asked.Add(1)
			_, _ = c.Status(), c.Stats()
		}}
		id := must(c.AddFile(f))
		if n := asked.Load(); n != 1 {
			t.Errorf("asked %d times when the file was added, want once", n)
		}
		hang := osstest.Hang(osstest.OpUploadPart).Nth(4)
		b.server.Inject(hang)
		if err := c.Start(b.ctx); err != nil {
			t.Fatal(err)
		}
		<-hang.Fired()
		if err := errors.Join(c.Pause(), c.CancelFile(id)); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		b.clean()
	}
}
