package upload_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// otherPaths returns further paths of the file at a/film.mp4.
func otherPaths(t *testing.T, dir string) map[string]string {
	t.Helper()
	film := dir + "/a/film.mp4"
	symlink(t, "a", dir+"/current")
	symlink(t, film, dir+"/link.mp4")
	symlink(t, "link.mp4", dir+"/link of a link.mp4")
	if err := os.Link(film, dir+"/hard.mp4"); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{
		"another spelling":          dir + "/a/../a//./film.mp4",
		"a symbolic link":           dir + "/link.mp4",
		"a link of a link":          dir + "/link of a link.mp4",
		"a link to a folder above":  dir + "/current/film.mp4",
		"a link, another spelling ": dir + "//current/./film.mp4",
	}
	if runtime.GOOS != "windows" {
		paths["a hard link"] = dir + "/hard.mp4"
	}
	return paths
}

func TestOneFileByTwoPathsIsOneSource(t *testing.T) {
	names := newTestbed(t)
	names.file("a/film.mp4", 10)
	for name := range otherPaths(t, names.dir) {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			f := b.file("a/film.mp4", mib)
			second := f
			second.Path = otherPaths(t, b.dir)[name]
			for _, order := range [][2]upload.File{{f, second}, {second, f}} {
				c := b.client()
				b.add(c, order[0])
				if _, err := c.AddFile(order[1]); !errors.Is(err, upload.ErrFileAlreadyExist) {
					t.Errorf("added a second time: got %v, want ErrFileAlreadyExist", err)
				}
				elsewhere := order[1]
				elsewhere.Object += "-2"
				if _, err := c.AddFile(elsewhere); err != nil {
					t.Errorf("to another object: got %v", err)
				}
			}
		})
	}
}

func TestOneFileByTwoPathsIsInUse(t *testing.T) {
	b := newTestbed(t)
	f := b.file("a/film.mp4", mib)
	symlink(t, "a", b.dir+"/current")
	hang := osstest.Hang(osstest.OpUploadPart).BeforeWork()
	b.server.Inject(hang)
	c := b.client()
	b.add(c, f)
	start(t, b, c)
	<-hang.Fired()
	f.Path = b.dir + "/current/film.mp4"
	if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, upload.ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
}

func TestResumesByAnotherPath(t *testing.T) {
	b := newTestbed(t)
	f := b.file("v1/film.mp4", mib)
	b.file("v2/film.mp4", mib)
	symlink(t, "v1", b.dir+"/current")
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(8))
	byLink := f
	byLink.Path = b.dir + "/current/film.mp4"
	if _, err := b.client().Upload(b.ctx, byLink); err == nil {
		t.Fatal("the first run succeeded")
	}
	if err := errors.Join(os.Remove(b.dir+"/current"), os.Symlink("v2", b.dir+"/current")); err != nil {
		t.Fatal(err)
	}
	if res, err := b.client().Upload(b.ctx, f); err != nil || res.ResumedParts == 0 {
		t.Errorf("got %+v, %v; want parts resumed", res, err)
	}
	b.same(f)
	b.clean()
}

// It is the file that was added, and not the link.
func TestLinkThatMovesAfterAddFile(t *testing.T) {
	b := newTestbed(t)
	f := b.file("v1/film.mp4", mib)
	b.file("v2/film.mp4", mib)
	symlink(t, "v1", b.dir+"/current")
	byLink := f
	byLink.Path = b.dir + "/current/film.mp4"
	c := b.client()
	id := b.add(c, byLink)
	if err := errors.Join(os.Remove(b.dir+"/current"), os.Symlink("v2", b.dir+"/current")); err != nil {
		t.Fatal(err)
	}
	start(t, b, c)
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.same(f)
	if got := must(c.File(id[0])).Path; got != byLink.Path {
		t.Errorf("got path %s, want the one that was given: %s", got, byLink.Path)
	}
}

// An open file that has no name any more can be read by its descriptor's path.
func TestPathThatCannotBeResolved(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	b := newTestbed(t)
	f := b.file("a.mp4", 1000)
	film := must(os.ReadFile(f.Path))
	open := must(os.Open(f.Path))
	defer open.Close()
	if err := errors.Join(os.Remove(f.Path)); err != nil {
		t.Fatal(err)
	}
	f.Path = fmt.Sprintf("/proc/self/fd/%d", open.Fd())
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	f.Path = filepath.Join(b.dir, "copy")
	if err := os.WriteFile(f.Path, film, 0o600); err != nil {
		t.Fatal(err)
	}
	b.same(f)
}

// TestFolderThatBecomesALink between two files that are added from it: the second is
// known by its path without the link.
func TestFolderThatBecomesALink(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	first := b.file("in/a.mp4", 1)
	b.add(c, first)
	if err := os.Rename(filepath.Join(b.dir, "in"), filepath.Join(b.dir, "moved")); err != nil {
		t.Fatal(err)
	}
	symlink(t, "moved", filepath.Join(b.dir, "in"))
	film := b.file("moved/b.mp4", 1)
	byLink := film
	byLink.Path = filepath.Join(b.dir, "in/b.mp4")
	b.add(c, byLink)
	if _, err := c.AddFile(film); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("got %v, want ErrFileAlreadyExist: the file is in the list by its other path", err)
	}
}
