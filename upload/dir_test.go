package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// symlink makes a symbolic link, or skips the test.
func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skip("no symbolic links here: needs the right to make them")
	}
}

// into returns options for a folder whose objects begin with prefix.
func (b *testbed) into(prefix string) *upload.AddDirOptions {
	return &upload.AddDirOptions{Prefix: prefix, File: upload.File{Endpoint: b.server.URL, Bucket: bucket}}
}

// What AddDir listed and is a link by the time that it is opened is not followed.
func TestAddDirFollowsNoLinkThatComesLater(t *testing.T) {
	const film = "tree/sub/a.mp4"
	for _, tt := range []struct {
		name string
		swap func(t *testing.T, dir string) error
	}{
		{"the file leads out of the folder", func(t *testing.T, dir string) error {
			err := os.Remove(dir + "/" + film)
			symlink(t, dir+"/secret/a.mp4", dir+"/"+film)
			return err
		}},
		{"the file leads to another of the folder", func(t *testing.T, dir string) error {
			err := os.Remove(dir + "/" + film)
			symlink(t, "b.mp4", dir+"/"+film)
			return err
		}},
		{"a folder above it leads out", func(t *testing.T, dir string) error {
			err := os.Rename(dir+"/tree/sub", dir+"/old")
			symlink(t, dir+"/secret", dir+"/tree/sub")
			return err
		}},
		{"a folder above it leads to another", func(t *testing.T, dir string) error {
			err := os.Rename(dir+"/tree/sub", dir+"/tree/old")
			symlink(t, "other", dir+"/tree/sub")
			return err
		}},
		{"the folder that was listed leads elsewhere", func(t *testing.T, dir string) error {
			err := os.Rename(dir+"/tree", dir+"/old")
			symlink(t, dir+"/secret/tree", dir+"/tree")
			return err
		}},
		{"another folder is in the place of the one that was listed", func(_ *testing.T, dir string) error {
			return errors.Join(os.Rename(dir+"/tree", dir+"/old"), os.Rename(dir+"/secret/tree", dir+"/tree"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestbed(t)
			for _, name := range []string{film, "secret/a.mp4", "secret/tree/sub/a.mp4"} {
				b.file(name, 1000)
			}
			b.opts.Parallel = 1
			c := b.client()
			ids, err := c.AddDir(b.ctx, b.dir+"/tree", b.into("in/"))
			if err != nil || len(ids) != 1 {
				t.Fatalf("got files %v, %v; want one", ids, err)
			}
			b.file("tree/sub/b.mp4", 1000)
			b.file("tree/other/a.mp4", 1000)
			if err := tt.swap(t, b.dir); err != nil {
				t.Fatal(err)
			}
			start(t, b, c)
			if err := c.Wait(b.ctx); !errors.Is(err, upload.ErrFileNotExist) {
				t.Errorf("got %v, want ErrFileNotExist", err)
			}
			if got := b.server.Objects(bucket); len(got) > 0 {
				t.Errorf("%d objects were made, want none", len(got))
			}
		})
	}
	t.Run("put back, it is uploaded", func(t *testing.T) {
		b := newTestbed(t)
		b.file(film, 1000)
		c := b.client()
		ids := must(c.AddDir(b.ctx, b.dir+"/tree", b.into("in/")))
		if err := os.Rename(b.dir+"/tree", b.dir+"/old"); err != nil {
			t.Fatal(err)
		}
		start(t, b, c)
		if err := c.Wait(b.ctx); !errors.Is(err, upload.ErrFileNotExist) {
			t.Errorf("got %v, want ErrFileNotExist", err)
		}
		if err := errors.Join(os.Rename(b.dir+"/old", b.dir+"/tree"), c.ResumeFile(ids[0]), c.Wait(b.ctx)); err != nil {
			t.Error(err)
		}
	})
}

// A folder is known by where it is, not by the link that it was given by.
func TestAddDirOfALink(t *testing.T) {
	b := newTestbed(t)
	b.file("v1/a.mp4", 1000)
	b.file("v2/a.mp4", 1000)
	symlink(t, "v1", b.dir+"/current")
	c := b.client()
	ids := must(c.AddDir(b.ctx, b.dir+"/current", b.into("in/")))
	if err := errors.Join(os.Remove(b.dir+"/current"), os.Symlink("v2", b.dir+"/current")); err != nil {
		t.Fatal(err)
	}
	start(t, b, c)
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.same(upload.File{Path: b.dir + "/v1/a.mp4", Bucket: bucket, Object: "in/a.mp4"})
	if got := must(c.File(ids[0])).Path; got != b.dir+"/current/a.mp4" {
		t.Errorf("got path %s, want the one that was given", got)
	}
}

func TestAddDirResumesAsAddFileDoes(t *testing.T) {
	b := newTestbed(t)
	f := b.file("tree/a.mp4", mib)
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(8))
	c := b.client()
	must(c.AddDir(b.ctx, b.dir+"/tree", b.into("in/tree/")))
	start(t, b, c)
	if err := c.Wait(b.ctx); err == nil {
		t.Fatal("the first run succeeded")
	}
	_ = c.Close()
	if res, err := b.client().Upload(b.ctx, f); err != nil || res.ResumedParts == 0 {
		t.Errorf("got %+v, %v; want parts resumed", res, err)
	}
	b.same(f)
}

func TestAddDirOfWhatIsNoFolder(t *testing.T) {
	b := newTestbed(t)
	f := b.file("a.mp4", 10)
	for dir, want := range map[string]string{"": "dir is empty", f.Path: f.Path, b.dir + "/none": b.dir + "/none"} {
		ids, err := b.client().AddDir(b.ctx, dir, b.into(""))
		if err == nil || !strings.Contains(err.Error(), want) || len(ids) > 0 {
			t.Errorf("AddDir(%q): got files %v, %v; want an error with %q", filepath.Base(dir), ids, err, want)
		}
	}
}

// errorsOf are the errors of a call of AddDir, by the path below dir.
func errorsOf(t *testing.T, dir string, err error) map[string]error {
	t.Helper()
	var all upload.AddDirErrors
	if err != nil && !errors.As(err, &all) {
		t.Fatalf("got %v, want AddDirErrors", err)
	}
	byPath := make(map[string]error)
	for _, e := range all {
		byPath[filepath.ToSlash(strings.TrimPrefix(e.Path, dir))] = e
		if n := strings.Count(e.Error(), e.Path); n != 1 {
			t.Errorf("%v names its path %d times", e, n)
		}
	}
	return byPath
}

// objectsOf are the names of the files of a client's list.
func objectsOf(c *upload.Client) (names []string) {
	for _, f := range c.Files() {
		names = append(names, f.Object)
	}
	return names
}

func TestAddDirNamesWhatItDoesNotAdd(t *testing.T) {
	b := newTestbed(t)
	for _, name := range []string{"tree/a.mp4", "tree/sub/b.mp4", "secret/c.mp4"} {
		b.file(name, 10)
	}
	symlink(t, "a.mp4", b.dir+"/tree/link.mp4")
	symlink(t, b.dir+"/secret", b.dir+"/tree/out")
	symlink(t, "nowhere", b.dir+"/tree/dangling")
	socket, err := net.Listen("unix", b.dir+"/tree/socket")
	if err != nil {
		t.Skipf("no sockets here: %v", err)
	}
	defer socket.Close()
	c := b.client()
	ids, err := c.AddDir(b.ctx, b.dir+"/tree", b.into("in/"))
	got := errorsOf(t, b.dir+"/tree/", err)
	for name, what := range map[string]string{"link.mp4": "a symbolic link", "out": "a symbolic link", "dangling": "a symbolic link", "socket": "a socket"} {
		if err := got[name]; !errors.Is(err, upload.ErrNotRegular) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: got %v, want %s", name, err, what)
		}
	}
	if want := []string{"in/a.mp4", "in/sub/b.mp4"}; len(got) != 4 || len(ids) != 2 || !slices.Equal(objectsOf(c), want) {
		t.Errorf("added %q, with errors %v; want %q", objectsOf(c), err, want)
	}
	if text := err.Error(); !strings.Contains(text, "and 1 more were not added") {
		t.Errorf("got %s", text)
	}
	_, err = c.AddDir(b.ctx, b.dir+"/tree", b.into("in/"))
	if got := errorsOf(t, b.dir+"/tree/", err); !errors.Is(got["a.mp4"], upload.ErrFileAlreadyExist) || len(got) != 6 {
		t.Errorf("added twice: got %v", err)
	}
}

func TestAddDirOptions(t *testing.T) {
	b := newTestbed(t)
	for _, name := range []string{"tree/a.mp4", "tree/b.txt", "tree/sub/c.mp4", "tree/tmp/d.mp4"} {
		b.file(name, 10)
	}
	errNo := errors.New("not this one")
	for _, tt := range []struct {
		name    string
		change  func(*upload.AddDirOptions)
		objects string
		refused string // paths
	}{
		{"no prefix", func(o *upload.AddDirOptions) { o.Prefix = "" }, "a.mp4 b.txt sub/c.mp4 tmp/d.mp4", ""},
		{"a prefix without a slash", func(o *upload.AddDirOptions) { o.Prefix = "in/x" }, "in/x/a.mp4 in/x/b.txt in/x/sub/c.mp4 in/x/tmp/d.mp4", ""},
		{"Func skips a file and a folder", func(o *upload.AddDirOptions) {
			o.Func = func(f *upload.File, d fs.DirEntry) (bool, error) {
				return d.Name() == "tmp" || filepath.Ext(f.Path) == ".txt", nil
			}
		}, "in/a.mp4 in/sub/c.mp4", ""},
		{"Func refuses a file and a folder", func(o *upload.AddDirOptions) {
			o.Func = func(f *upload.File, d fs.DirEntry) (bool, error) {
				if d.Name() == "tmp" || d.Name() == "a.mp4" {
					return false, errNo
				}
				return false, nil
			}
		}, "in/b.txt in/sub/c.mp4", "a.mp4 tmp"},
		{"Func ends it", func(o *upload.AddDirOptions) {
			o.Func = func(f *upload.File, d fs.DirEntry) (bool, error) {
				if d.IsDir() {
					return false, fs.SkipAll
				}
				return false, nil
			}
		}, "in/a.mp4 in/b.txt", ""},
		{"Func changes a file, and no other", func(o *upload.AddDirOptions) {
			o.Func = func(f *upload.File, d fs.DirEntry) (bool, error) {
				if d.Name() == "b.txt" {
					f.Object = strings.ToUpper(f.Object)
				}
				return false, nil
			}
		}, "in/a.mp4 IN/B.TXT in/sub/c.mp4 in/tmp/d.mp4", ""},
		{"Func changes what it may not", func(o *upload.AddDirOptions) {
			o.Func = func(f *upload.File, d fs.DirEntry) (bool, error) {
				switch d.Name() {
				case "a.mp4":
					f.Path = "/etc/passwd"
				case "b.txt":
					f.Reader = strings.NewReader("x")
				}
				return false, nil
			}
		}, "in/sub/c.mp4 in/tmp/d.mp4", "a.mp4 b.txt"},
		{"Func names a folder", func(o *upload.AddDirOptions) {
			o.Func = func(f *upload.File, d fs.DirEntry) (bool, error) {
				f.Object = "in/"
				return false, nil
			}
		}, "", "a.mp4 b.txt sub/c.mp4 tmp/d.mp4"},
		{"Func gives the destination", func(o *upload.AddDirOptions) {
			o.File = upload.File{}
			o.Func = func(f *upload.File, d fs.DirEntry) (bool, error) {
				f.Endpoint, f.Bucket = b.server.URL, bucket
				return d.IsDir(), nil
			}
		}, "in/a.mp4 in/b.txt", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := b.into("in")
			tt.change(opts)
			c := b.client()
			ids, err := c.AddDir(b.ctx, b.dir+"/tree", opts)
			refused := errorsOf(t, b.dir+"/tree/", err)
			paths := slices.Sorted(maps.Keys(refused))
			if got := strings.Join(objectsOf(c), " "); got != tt.objects || len(ids) != len(c.Files()) || strings.Join(paths, " ") != tt.refused {
				t.Errorf("added %q, refused %q; want %q and %q", got, paths, tt.objects, tt.refused)
			}
		})
	}
	for field, opts := range map[string]upload.AddDirOptions{
		"File.Path": {File: upload.File{Path: "a"}}, "File.Object": {File: upload.File{Object: "a"}},
		"File.Reader": {File: upload.File{Reader: strings.NewReader("")}}, "File.Source": {File: upload.File{Source: upload.NewSource(strings.NewReader(""), 0, "")}},
		"Prefix": {Prefix: "/in"},
	} {
		if ids, err := b.client().AddDir(b.ctx, b.dir+"/tree", &opts); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "AddDirOptions."+field) || len(ids) > 0 {
			t.Errorf("%s: got %v, %v; want an error of that field", field, ids, err)
		}
	}
}

func TestAddDirOfAnFS(t *testing.T) {
	b := newTestbed(t)
	fsys := fstest.MapFS{}
	for _, name := range []string{"a.mp4", "tree/b.mp4", "tree/sub/c.mp4"} {
		fsys[name] = &fstest.MapFile{Data: []byte(name), ModTime: time.Now()}
	}
	for dir, want := range map[string]string{".": "in/a.mp4 in/tree/b.mp4 in/tree/sub/c.mp4", "tree": "in/b.mp4 in/sub/c.mp4", "tree/": "in/b.mp4 in/sub/c.mp4"} {
		c := b.client()
		opts := b.into("in")
		opts.File.FS = fsys
		ids, err := c.AddDir(b.ctx, dir, opts)
		if got := strings.Join(objectsOf(c), " "); err != nil || got != want || len(ids) != len(c.Files()) {
			t.Errorf("%s: added %q, %v; want %q", dir, got, err, want)
		}
		start(t, b, c)
		if err := c.Wait(b.ctx); err != nil {
			t.Error(err)
		}
	}
	if got := string(b.content("in/sub/c.mp4")); got != "tree/sub/c.mp4" {
		t.Errorf("got %q", got)
	}
	for _, dir := range []string{"none", "../x", "/", "a.mp4"} {
		opts := b.into("in")
		opts.File.FS = fsys
		if ids, err := b.client().AddDir(b.ctx, dir, opts); err == nil || len(ids) > 0 {
			t.Errorf("%s: got %v, %v; want an error", dir, ids, err)
		}
	}
}

func TestAddDirEnds(t *testing.T) {
	t.Parallel() // it waits most of the time
	b := newTestbed(t)
	for i := range 5 {
		b.file(fmt.Sprintf("tree/%d.mp4", i), 10)
	}
	errEnd := errors.New("ended by the test")
	t.Run("with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(b.ctx)
		opts := b.into("in")
		opts.Func = func(_ *upload.File, d fs.DirEntry) (bool, error) {
			if d.Name() == "2.mp4" {
				cancel(errEnd)
			}
			return false, nil
		}
		c := b.client()
		ids, err := c.AddDir(ctx, b.dir+"/tree", opts)
		if !errors.Is(err, errEnd) || len(ids) != len(c.Files()) || len(ids) < 2 || len(ids) > 3 {
			t.Errorf("got %d files, %v; want the first ones and %v", len(ids), err, errEnd)
		}
	})
	t.Run("before it has begun", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(b.ctx)
		cancel(errEnd)
		if ids, err := b.client().AddDir(ctx, b.dir+"/tree", b.into("in")); !errors.Is(err, errEnd) || len(ids) > 0 {
			t.Errorf("got %v, %v; want %v", ids, err, errEnd)
		}
	})
	t.Run("with a file system that hangs", func(t *testing.T) {
		release := make(chan struct{})
		b := newTestbed(t)
		defer close(release)
		fsys := fstest.MapFS{"a.mp4": {Data: []byte("a")}}
		for _, hangs := range []string{".", "a.mp4"} {
			ctx, cancel := context.WithCancelCause(b.ctx)
			opts := b.into("in")
			opts.File.FS = &stuckFS{fsys, hangs, func() { cancel(errEnd); <-release }}
			c := b.client()
			if ids, err := c.AddDir(ctx, ".", opts); !errors.Is(err, errEnd) || len(ids)+len(c.Files()) > 0 || !strings.Contains(err.Error(), "has not returned") {
				t.Errorf("got %v, %v; want %v", ids, err, errEnd)
			}
		}
	})
	t.Run("with the client", func(t *testing.T) {
		c := b.client()
		_ = c.Close()
		if ids, err := c.AddDir(b.ctx, b.dir+"/tree", b.into("in")); !errors.Is(err, upload.ErrClosed) || len(ids) > 0 {
			t.Errorf("got %v, %v; want ErrClosed", ids, err)
		}
	})
}

// A stuckFS calls hang before it opens one name.
type stuckFS struct {
	fs.FS
	name string
	hang func()
}

func (h *stuckFS) Open(name string) (fs.File, error) {
	if name == h.name {
		h.hang()
	}
	return h.FS.Open(name)
}

func TestAddDirPlaylistsLast(t *testing.T) {
	const media, master = "#EXTM3U\n#EXTINF:6,\nseg1.ts\n", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n"
	stream := func(t *testing.T) *testbed {
		b := newTestbed(t)
		b.file("tree/720p/seg1.ts", 300*kib)
		b.file("tree/720p/seg2.ts", 10)
		b.file("tree/zz.m4s", 10)
		for name, text := range map[string]string{"720p/index.m3u8": media, "a-master.m3u8": master, "a.mpd": "<MPD/>"} {
			if err := os.WriteFile(b.dir+"/tree/"+name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	for name, before := range map[string]bool{"before the start": true, "to a started client": false} {
		t.Run("segments are stored first, added "+name, func(t *testing.T) {
			b := stream(t)
			c := b.client()
			opts := b.into("in")
			opts.PlaylistsLast = true
			if !before {
				start(t, b, c)
			}
			if ids, err := c.AddDir(b.ctx, b.dir+"/tree", opts); err != nil || len(ids) != 6 {
				t.Fatalf("added %v, %v", ids, err)
			}
			if before {
				start(t, b, c)
			}
			if err := c.Wait(b.ctx); err != nil {
				t.Fatal(err)
			}
			got := b.stored()
			if len(got) != 6 || got[3] != "720p/index.m3u8" {
				t.Errorf("stored %v, want the playlist, then master and manifest", got)
			}
		})
	}
	t.Run("no playlist is added without its segments", func(t *testing.T) {
		b := stream(t)
		symlink(t, "seg1.ts", b.dir+"/tree/720p/seg3.ts")
		c := b.client()
		opts := b.into("in")
		opts.PlaylistsLast = true
		_, err := c.AddDir(b.ctx, b.dir+"/tree", opts)
		got := errorsOf(t, b.dir+"/tree/", err)
		for _, name := range []string{"720p/index.m3u8", "a-master.m3u8", "a.mpd"} {
			if !errors.Is(got[name], upload.ErrGroup) || !strings.Contains(got[name].Error(), "seg3.ts") {
				t.Errorf("%s: got %v, want ErrGroup", name, got[name])
			}
		}
		if names := objectsOf(c); len(names) != 3 {
			t.Errorf("added %v, want the segments", names)
		}
	})
	t.Run("nor once Func has ended the walk", func(t *testing.T) {
		b := stream(t)
		c := b.client()
		opts := b.into("in")
		opts.PlaylistsLast = true
		opts.Func = func(_ *upload.File, d fs.DirEntry) (bool, error) {
			if d.Name() == "zz.m4s" {
				return false, fs.SkipAll
			}
			return false, nil
		}
		if _, err := c.AddDir(b.ctx, b.dir+"/tree", opts); err != nil || len(c.Files()) != 2 {
			t.Errorf("added %v, %v; want two segments", objectsOf(c), err)
		}
	})
}

// An object whose name is that of a folder has no bytes.
func TestObjectNamedAsAFolder(t *testing.T) {
	b := newTestbed(t)
	f, empty := b.file("a.mp4", 10), b.file("empty", 0)
	f.Object, empty.Object = "in/", "in/"
	reader := f
	reader.Path, reader.Reader = "reader", strings.NewReader("x")
	refused := func(call string, err error) {
		t.Helper()
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "File.Object") {
			t.Errorf("%s: got %v, want an error of File.Object", call, err)
		}
	}
	c := b.client()
	for name, f := range map[string]upload.File{"a file": f, "a Reader": reader} {
		_, err := c.AddFile(f)
		refused("AddFile of "+name, err)
		_, err = c.Upload(b.ctx, f)
		refused("Upload of "+name, err)
		f.Endpoint, f.Bucket, f.Object = "", "", ""
		id := must(c.AddFile(f))
		refused("SetDestination of "+name, c.SetDestination(id, b.server.URL, bucket, "in/"))
	}
	if _, err := c.Upload(b.ctx, empty); err != nil {
		t.Errorf("an empty file: %v", err)
	}
	grown := b.file("grown", 0)
	grown.Object = "grown/"
	id := must(c.AddFile(grown))
	b.file("grown", 10)
	start(t, b, c)
	_ = b.until(c, id, upload.FileFailed)
	refused("a file that has grown", must(c.File(id)).Err)
}
