package upload_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
