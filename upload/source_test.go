package upload_test

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
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

func (b *bench) content(object string) []byte {
	b.t.Helper()
	o, ok := b.server.Object(bucket, object)
	if !ok {
		b.t.Fatalf("no object %s", object)
	}
	r := must(o.Open())
	defer r.Close()
	return must(io.ReadAll(r))
}

// to is a file without a source.
func (b *bench) to(object string) upload.File {
	return upload.File{Path: "somewhere/" + object, Endpoint: b.server.URL, Bucket: bucket, Object: object}
}

func TestSources(t *testing.T) {
	b := newBench(t)
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
	b := newBench(t)
	f := b.to("e.go")
	f.FS, f.Path = sources, "source_test.go"
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	if want := must(fs.ReadFile(sources, "source_test.go")); !bytes.Equal(b.content("e.go"), want) {
		t.Error("the object has other bytes")
	}
}

func TestReaderOfAnyLength(t *testing.T) {
	for _, size := range []int{0, 1, 100*kib - 1, 100 * kib, 100*kib + 1, 200 * kib, 1234567} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := newBench(t)
			data := must(os.ReadFile(b.file("a", size).Path))
			f := b.to("r")
			r := &closer{Reader: iotest.OneByteReader(bytes.NewReader(data[:min(size, 10)])), rest: bytes.NewReader(data[min(size, 10):])}
			f.Reader = r
			var total int64
			b.opts.Callbacks.OnProgress = func(_ *upload.Client, f upload.FileInfo, uploaded, n int64) {
				if n >= 0 && uploaded > n {
					t.Errorf("%d of %d bytes", uploaded, n)
				}
				total = n
			}
			c := b.client()
			res, err := c.Upload(b.ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.content("r"), data) || res.Size != int64(size) || !res.Verified || total != int64(size) {
				t.Errorf("got %+v, last total %d, want size %d", res, total, size)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if !r.closed {
				t.Error("the reader was not closed")
			}
			b.clean()
		})
	}
}

// A closer is a reader in two halves that takes note of its end.
type closer struct {
	io.Reader
	rest   io.Reader
	closed bool
}

func (c *closer) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF && c.rest != nil {
		c.Reader, c.rest = c.rest, nil
		return n, nil
	}
	return n, err
}

func (c *closer) Close() error { c.closed = true; return nil }

func TestReaderSurvivesFaultsAndPause(t *testing.T) {
	b := newBench(t)
	b.server.Inject(
		osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(2).Times(2),
		osstest.Reset(osstest.OpUploadPart).InBody(1000).Nth(5),
	)
	data := must(os.ReadFile(b.file("a", 3*mib).Path))
	f := b.to("r")
	f.Reader = bytes.NewReader(data)
	paused := false
	b.opts.Callbacks.OnProgress = func(c *upload.Client, _ upload.FileInfo, uploaded, _ int64) {
		if uploaded > mib && !paused {
			paused = true
			if err := errors.Join(c.Pause(), c.Resume()); err != nil {
				t.Error(err)
			}
		}
	}
	c := b.client()
	_ = must(c.AddFile(f))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.content("r"), data) {
		t.Error("the object has other bytes")
	}
	b.server.AssertFired(t)
	if !paused || b.server.Count(osstest.OpInitiateMultipartUpload) != 1 {
		t.Errorf("paused %t, %d uploads were begun, want one", paused, b.server.Count(osstest.OpInitiateMultipartUpload))
	}
	b.clean()
}

func TestFailedReaderLeavesNothing(t *testing.T) {
	b := newBench(t)
	broken := errors.New("tape torn")
	f := b.to("r")
	f.Reader = io.MultiReader(strings.NewReader(strings.Repeat("x", 250*kib)), iotest.ErrReader(broken))
	c := b.client()
	if _, err := c.Upload(b.ctx, f); !errors.Is(err, broken) {
		t.Errorf("got %v, want it to be %q", err, broken)
	}
	b.clean()
	if n := b.server.Count(osstest.OpAbortMultipartUpload); n == 0 {
		t.Error("the upload was not aborted")
	}
}

func TestReaderCannotBeReadAgain(t *testing.T) {
	b := newBench(t)
	c := b.client()
	f := b.to("r")
	f.Reader = iotest.ErrReader(errors.New("no"))
	id := must(c.AddFile(f))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait(b.ctx)
	if err := c.ResumeFile(id); !errors.Is(err, upload.ErrState) || !strings.Contains(err.Error(), "Reader") {
		t.Errorf("got %v, want ErrState about the Reader", err)
	}
}

func TestSourceThatChanges(t *testing.T) {
	b := newBench(t)
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
	b := newBench(t)
	for _, name := range []string{"tree/a.mp4", "tree/sub/b.ts", "tree/sub/ü 影.m3u8", "tree/tmp/c.mp4", "tree/.hidden"} {
		b.file(name, 1000)
	}
	if err := os.Symlink("a.mp4", b.dir+"/tree/link"); err != nil {
		t.Skip("no symbolic links here: needs the right to make them")
	}
	c := b.client()
	ids, err := c.AddDir(b.dir+"/tree", "vod/", upload.File{Endpoint: b.server.URL, Bucket: bucket}, func(name string, d fs.DirEntry) bool {
		return d.Name() == "tmp" || strings.HasPrefix(d.Name(), ".")
	})
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
	if _, err := c.AddDir(b.dir+"/none", "", upload.File{Endpoint: b.server.URL, Bucket: bucket}, nil); !errors.Is(err, upload.ErrFileNotExist) || !strings.Contains(err.Error(), b.dir+"/none") {
		t.Errorf("got %v, want ErrFileNotExist of the folder", err)
	}
}

func TestSourceGoneAfterAddFile(t *testing.T) {
	for name, authorized := range map[string]bool{"with a destination": false, "with an Authorizer": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
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
