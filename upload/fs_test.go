package upload_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// written writes a file of one letter, with a modification time that is long past.
func (b *bench) written(name, letter string, size int) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	past := time.Unix(1e9, 0)
	err := errors.Join(os.WriteFile(path, bytes.Repeat([]byte(letter), size), 0o600), os.Chtimes(path, past, past))
	if err != nil {
		b.t.Fatal(err)
	}
}

// folder is a file in a file system.
func (b *bench) folder(name string) upload.File {
	f := b.to(name)
	f.FS, f.Path = os.DirFS(b.dir), name
	return f
}

// only fails the test unless the object has no byte but one letter.
func (b *bench) only(object, letter string) {
	b.t.Helper()
	got := b.content(object)
	if n := strings.Count(string(got), letter); n != len(got) {
		b.t.Errorf("%d of %d bytes of the object are those of another source", len(got)-n, len(got))
	}
}

func TestFileOfAFileSystemThatChanges(t *testing.T) {
	for _, size := range []int{50 * kib, mib} {
		b := newBench(t)
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
	b := newBench(t)
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
	b := newBench(t)
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

// inMemory is a file of one letter without a fingerprint.
func (b *bench) inMemory(letter string) upload.File {
	f := b.to("mem")
	f.Source = upload.NewSource(strings.NewReader(strings.Repeat(letter, mib)), mib, "")
	return f
}

func TestSourcesWithoutFingerprint(t *testing.T) {
	for _, list := range []string{"with the server's list", "with the record's word"} {
		t.Run("other bytes of the same name and size are sent, "+list, func(t *testing.T) {
			b := newBench(t)
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
		b := newBench(t)
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
		b := newBench(t)
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

func TestCleanUpHasTheRequesterPay(t *testing.T) {
	b := newBench(t)
	f := b.file("a.bin", mib)
	f.RequestPayer = true
	hang := osstest.Hang(osstest.OpUploadPart).Nth(4)
	b.server.Inject(hang)
	c := b.client()
	id := must(c.AddFile(f))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	if err := c.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.CancelFile(id), c.Close()); err != nil {
		t.Fatal(err)
	}
	if b.server.Count(osstest.OpAbortMultipartUpload) == 0 {
		t.Error("the upload was not aborted")
	}
	for _, r := range b.server.Requests() {
		if r.Header.Get("X-Oss-Request-Payer") != "requester" {
			t.Errorf("%v has no x-oss-request-payer", r)
		}
	}
	b.clean()
}
