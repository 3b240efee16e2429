package upload_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// withDir gives the testbed's clients a store in a directory, which is returned, and a
// log.
func (b *testbed) withDir() (dir string, log *logBuffer) {
	b.t.Helper()
	store, err := checkpoint.OpenDir(filepath.Join(b.t.TempDir(), "checkpoints"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = store.Close() })
	log = new(logBuffer)
	b.store, b.opts.Checkpoints = store, store
	b.opts.Logger = slog.New(slog.NewTextHandler(log, nil))
	return store.Path(), log
}

// atPart has the testbed's clients meet something just before they send the n-th part. Its
// number may be another: two parts may change places.
func (b *testbed) atPart(nth int32, meet func()) {
	b.opts.HTTPClient = partTransport(nth, meet)
	b.t.Cleanup(b.opts.HTTPClient.CloseIdleConnections)
}

func partTransport(nth int32, meet func()) *http.Client {
	return &http.Client{Transport: &meeting{nth: nth, meet: meet}}
}

// A meeting is a transport that something happens in.
type meeting struct {
	http.Transport
	nth  int32
	sent atomic.Int32 // parts
	meet func()
}

func (m *meeting) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.URL.Query().Has("partNumber") && m.sent.Add(1) == m.nth {
		m.meet()
	}
	return m.Transport.RoundTrip(q)
}

// saysAll fails the test unless err, or a log, says all of it.
func saysAll(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("got %q, want it to say %q", text, w)
		}
	}
}

// fileInPlace puts a file where a directory was.
func fileInPlace(t *testing.T, dir string) {
	t.Helper()
	again(t, func() error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)) })
}

// removed removes a directory, and what is in it.
func removed(t *testing.T, dir string) {
	t.Helper()
	away := filepath.Join(t.TempDir(), "away")
	if err := os.Rename(dir, away); err != nil {
		t.Error(err)
	}
	again(t, func() error { return os.RemoveAll(away) })
}

// again repeats what fails while the client, too, makes something in the directory.
func again(t *testing.T, do func() error) {
	t.Helper()
	var err error
	for range 1000 {
		if err = do(); err == nil {
			return
		}
	}
	t.Error(err)
}

// notOnWindows skips what cannot happen where files in use cannot be removed.
func notOnWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("files in use cannot be removed here")
	}
}

// TestLocalNoDefaultDirectory: neither the user's cache directory nor the temporary
// one can be made.
func TestLocalNoDefaultDirectory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other variables say where the directories are here")
	}
	b := newTestbed(t)
	f := b.file("a", 500*kib)
	file := b.file("in the way", 1).Path
	t.Setenv("XDG_CACHE_HOME", filepath.Join(file, "cache"))
	t.Setenv("TMPDIR", filepath.Join(file, "tmp"))
	b.opts.Checkpoints = nil
	_, err := upload.New(&b.opts)
	if !errors.Is(err, upload.ErrCheckpoint) || !errors.Is(err, syscall.ENOTDIR) {
		t.Fatalf("got %v, want ErrCheckpoint of ENOTDIR", err)
	}
	saysAll(t, err.Error(), filepath.Join(file, "cache"), filepath.Join(file, "tmp"), "not a directory", "choose another directory")

	var log logBuffer
	b.opts.CheckpointsOptional, b.opts.Logger = true, slog.New(slog.NewTextHandler(&log, nil))
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	b.same(f)
	saysAll(t, log.String(), "will not survive the end of this process", "not a directory")
}

// TestLocalFileInPlaceOfTheDirectory, which was made when the client was.
func TestLocalFileInPlaceOfTheDirectory(t *testing.T) {
	notOnWindows(t)
	t.Run("ErrCheckpoint before anything is sent", func(t *testing.T) {
		b := newTestbed(t)
		dir, _ := b.withDir()
		c := b.client()
		fileInPlace(t, dir)
		_, err := c.Upload(b.ctx, b.file("a", 500*kib))
		if !errors.Is(err, upload.ErrCheckpoint) || b.server.Count() > 0 {
			t.Fatalf("got %v after %d requests, want ErrCheckpoint and none", err, b.server.Count())
		}
		saysAll(t, err.Error(), dir, "not a directory", "choose another directory", "CheckpointsOptional")
	})
	t.Run("goes on without where it may", func(t *testing.T) {
		b := newTestbed(t)
		b.opts.CheckpointsOptional = true
		dir, log := b.withDir()
		c := b.client()
		fileInPlace(t, dir)
		f := b.file("a", 500*kib)
		if _, err := c.Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		b.same(f)
		saysAll(t, log.String(), "continues without", dir)
		if n := strings.Count(log.String(), "continues without"); n != 1 {
			t.Errorf("it was told %d times, want once:\n%s", n, log)
		}
	})
	t.Run("ErrCheckpoint half way, and goes on when it is mended", func(t *testing.T) {
		b := newTestbed(t)
		dir, _ := b.withDir()
		b.atPart(6, func() { fileInPlace(t, dir) })
		f := b.file("a", 1000*kib)
		_, err := b.client().Upload(b.ctx, f)
		if !errors.Is(err, upload.ErrCheckpoint) {
			t.Fatalf("got %v, want ErrCheckpoint", err)
		}
		saysAll(t, err.Error(), dir, "not a directory")
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		b.same(f)
	})
	t.Run("goes on without half way where it may", func(t *testing.T) {
		b := newTestbed(t)
		b.opts.CheckpointsOptional = true
		dir, log := b.withDir()
		b.atPart(6, func() { fileInPlace(t, dir) })
		f := b.file("a", 1000*kib)
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		b.same(f)
		saysAll(t, log.String(), "continues without", dir)
	})
}

// TestLocalDirectoryRemoved while an upload is under way: it is made again, with all
// that is known.
func TestLocalDirectoryRemoved(t *testing.T) {
	notOnWindows(t)
	t.Run("succeeds and leaves nothing", func(t *testing.T) {
		b := newTestbed(t)
		dir, log := b.withDir()
		b.atPart(6, func() { removed(t, filepath.Dir(dir)) })
		f := b.file("a", 1000*kib)
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		b.same(f)
		b.clean()
		if left := must(os.ReadDir(dir)); len(left) > 0 {
			t.Errorf("%d files are left, like %s; the log says %s", len(left), left[0].Name(), log)
		}
	})
	t.Run("is resumed by the next client", func(t *testing.T) {
		b := newTestbed(t)
		dir, _ := b.withDir()
		b.opts.Parallel = 1
		b.atPart(6, func() { removed(t, dir) })
		hang := osstest.Hang(osstest.OpUploadPart).Nth(8)
		b.server.Inject(hang)
		f := b.file("a", 1000*kib)
		c := b.client()
		b.add(c, f)
		start(t, b, c)
		<-hang.Fired()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if left := must(os.ReadDir(dir)); len(left) != 1 {
			t.Errorf("%d files are in the directory, want the checkpoint", len(left))
		}
		r, err := b.client().Upload(b.ctx, f)
		if err != nil || r.ResumedParts != 7 {
			t.Errorf("%d parts resumed, %v; want 7", r.ResumedParts, err)
		}
		b.same(f)
		b.clean()
	})
}

// A torn source cannot be read from some byte on until it is mended.
type torn struct {
	io.ReaderAt
	from   int64
	mended atomic.Bool
}

func (r *torn) ReadAt(p []byte, off int64) (int, error) {
	if !r.mended.Load() && off+int64(len(p)) > r.from {
		return 0, &os.PathError{Op: "read", Path: "/media/tape/7", Err: syscall.EIO}
	}
	return r.ReaderAt.ReadAt(p, off)
}

// TestLocalSourceUnreadable half way.
func TestLocalSourceUnreadable(t *testing.T) {
	t.Run("fails after its retries, and resumes when it can be read", func(t *testing.T) {
		b := newTestbed(t)
		rec := b.recorded()
		dir, _ := b.withDir()
		data := bytes.Repeat([]byte("tape"), 1000*kib/4)
		src := &torn{ReaderAt: bytes.NewReader(data), from: 650 * kib}
		f := b.to("a")
		f.Path, f.Source = "tape", upload.NewSource(src, int64(len(data)), "v1")
		b.opts.Parallel = 1
		_, err := b.client().Upload(b.ctx, f)
		var e *upload.Error
		if !errors.As(err, &e) || !errors.Is(err, syscall.EIO) || e.Op != "UploadPart" || e.Part < 7 {
			t.Fatalf("got %v (%+v), want EIO of part 7 or a later one", err, e)
		}
		saysAll(t, err.Error(), "/media/tape/7", e.UploadID)
		if n := rec.told("OnRetry", ""); n < 3 {
			t.Errorf("%d retries, want 3 of each part", n)
		}
		src.mended.Store(true)
		r, err := b.client().Upload(b.ctx, f)
		if err != nil || r.ResumedParts != 6 {
			t.Errorf("%d parts resumed, %v; want 6", r.ResumedParts, err)
		}
		b.sameBytes(f)
		b.clean()
		if left := must(os.ReadDir(dir)); len(left) > 0 {
			t.Errorf("%d files are left", len(left))
		}
	})
	for name, spoil := range map[string]func(string) error{
		"cut short":    func(path string) error { return os.Truncate(path, 600*kib) },
		"removed":      os.Remove,
		"a folder now": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run("ErrFileChanged of one "+name+", with nothing left", func(t *testing.T) {
			notOnWindows(t)
			b := newTestbed(t)
			dir, _ := b.withDir()
			f := b.file("a", 1000*kib)
			b.atPart(6, func() { must(0, spoil(f.Path)) })
			_, err := b.client().Upload(b.ctx, f)
			if !errors.Is(err, upload.ErrFileChanged) {
				t.Fatalf("got %v, want ErrFileChanged", err)
			}
			saysAll(t, err.Error(), f.Path)
			b.clean()
			if left := must(os.ReadDir(dir)); len(left) > 0 {
				t.Errorf("%d files are left", len(left))
			}
		})
	}
}
