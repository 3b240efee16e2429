package upload_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// written writes a file of one letter, with a modification time that is long past.
func (b *testbed) written(name, letter string, size int) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	past := time.Unix(1e9, 0)
	err := errors.Join(os.WriteFile(path, bytes.Repeat([]byte(letter), size), 0o600), os.Chtimes(path, past, past))
	if err != nil {
		b.t.Fatal(err)
	}
}

// folder is a file in a file system.
func (b *testbed) folder(name string) upload.File {
	f := b.to(name)
	f.FS, f.Path = os.DirFS(b.dir), name
	return f
}

// only fails the test unless the object has no byte but one letter.
func (b *testbed) only(object, letter string) {
	b.t.Helper()
	got := b.content(object)
	if n := strings.Count(string(got), letter); n != len(got) {
		b.t.Errorf("%d of %d bytes of the object are those of another source", len(got)-n, len(got))
	}
}

func TestFileOfAFileSystemThatChanges(t *testing.T) {
	for _, size := range []int{50 * kib, mib} {
		b := newTestbed(t)
		b.written("a", "O", size)
		b.opts.Parallel, b.opts.RetryInterval = 1, time.Millisecond
		op := osstest.OpUploadPart
		if size < 100*kib {
			op = osstest.OpPutObject
		}
		hang := osstest.Hang(op)
		b.server.Inject(hang)
		done := make(chan error)
		c := b.client()
		go func() {
			_, err := c.Upload(b.ctx, b.folder("a"))
			done <- err
		}()
		<-hang.Fired()
		writeFile(t, filepath.Join(b.dir, "a"), strings.Repeat("N", size))
		hang.Release()
		if err := <-done; !errors.Is(err, upload.ErrFileChanged) {
			t.Errorf("%d bytes: got %v, want ErrFileChanged", size, err)
		}
		b.clean()
	}
}

func TestFileOfAFileSystemIsReplacedBetweenRuns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("nothing but size and modification time tells files apart there")
	}
	b := newTestbed(t)
	b.written("a", "O", mib)
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(6))
	if _, err := b.client().Upload(b.ctx, b.folder("a")); err == nil {
		t.Fatal("got success of the first")
	}
	if err := os.Rename(filepath.Join(b.dir, "a"), filepath.Join(b.dir, "old")); err != nil {
		t.Fatal(err)
	}
	b.written("a", "N", mib)
	if _, err := b.client().Upload(b.ctx, b.folder("a")); err != nil {
		t.Fatal(err)
	}
	b.only("a", "N")
	b.clean()
}

func TestFileOfAFileSystemGoesOn(t *testing.T) {
	b := newTestbed(t)
	b.written("a", "O", mib)
	b.opts.Parallel = 1
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(6))
	if _, err := b.client().Upload(b.ctx, b.folder("a")); err == nil {
		t.Fatal("got success of the first")
	}
	r, err := b.client().Upload(b.ctx, b.folder("a"))
	if err != nil || r.ResumedParts < 3 {
		t.Errorf("got %d parts resumed, %v; want those that were sent", r.ResumedParts, err)
	}
	b.clean()
}
