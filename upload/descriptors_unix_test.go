//go:build unix

package upload_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// TestFewDescriptors runs a process that may have few files and sockets open.
func TestFewDescriptors(t *testing.T) {
	for _, name := range []string{"many files wait for a token", "other things hold all"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t)
			for n := range fewFiles {
				b.file(fmt.Sprint("film", n), 150*kib)
			}
			b.withFew(name)
			b.clean()
		})
	}
}

// withFew runs a case in a process of its own, and returns what that prints.
func (b *testbed) withFew(name string) (printed []byte) {
	b.t.Helper()
	cmd := exec.CommandContext(b.ctx, must(os.Executable()))
	work := fewWork{Case: name, Endpoint: b.server.URL, Dir: b.dir, Checkpoints: b.t.TempDir()}
	cmd.Env = append(os.Environ(), fewEnv+"="+string(must(json.Marshal(work))))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		b.t.Errorf("%s: %v\n%s%s", name, err, stdout.String(), stderr.String())
	}
	return stdout.Bytes()
}

const (
	fewEnv   = "VODUPLOAD_TEST_DESCRIPTORS"
	fewFiles = 300
)

func init() { children[fewEnv] = fewChild }

// fewWork is what the process does.
type fewWork struct{ Case, Endpoint, Dir, Checkpoints string }

func (w fewWork) file(n int) upload.File {
	return upload.File{Path: filepath.Join(w.Dir, fmt.Sprint("film", n)), Endpoint: w.Endpoint, Bucket: bucket, Object: fmt.Sprint(n)}
}

func (w fewWork) options() (*upload.Options, error) {
	store, err := checkpoint.OpenDir(w.Checkpoints)
	return &upload.Options{
		Checkpoints: store, PartSize: 100 * kib, RetryCount: -1, Credentials: sts.Static(defaultKey),
	}, err
}

func fewChild() error {
	var w fewWork
	if err := json.Unmarshal([]byte(os.Getenv(fewEnv)), &w); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangTimeout)
	defer cancel()
	switch w.Case {
	case "many files wait for a token":
		return w.many(ctx)
	case "other things hold all":
		return w.starve(ctx)
	}
	return w.report(ctx)
}

func init() { uploadStarved = starvedOutcomes }

// starvedOutcomes has a process upload a file of one part, and one of two, for each
// number of descriptors that are left.
func starvedOutcomes(t *testing.T) (seen [starvings][]string) {
	b := newTestbed(t)
	for n := range 2 * starvings {
		b.file(fmt.Sprint("film", n), []int{60 * kib, 150 * kib}[n%2])
	}
	printed := b.withFew("what is seen")
	if err := json.Unmarshal(printed, &seen); err != nil {
		t.Errorf("%v in %q", err, printed)
	}
	for n := range 2 * starvings {
		if ok := len(seen[n/2]) > n%2 && strings.HasPrefix(seen[n/2][n%2], "ok"); ok && !bytes.Equal(b.content(fmt.Sprint(n)), must(os.ReadFile(filepath.Join(b.dir, fmt.Sprint("film", n))))) {
			t.Errorf("object %d has other bytes", n)
		}
	}
	b.clean()
	return seen
}

// report prints what comes of uploads, by the number of descriptors that are left.
func (w fewWork) report(ctx context.Context) error {
	if err := limitDescriptors(64); err != nil {
		return err
	}
	var seen [starvings][]string
	for n := range 2 * starvings {
		waited, err := w.starved(ctx, n/2, w.file(n))
		text := "ok"
		if err != nil {
			text = "fails: " + err.Error()
		}
		if waited {
			text += ", waited"
		}
		seen[n/2] = append(seen[n/2], text)
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

func limitDescriptors(n int) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	l.Cur = min(uint64(n), l.Max)
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}

// many has 300 files wait for a token with 256 descriptors. None of them is open
// meanwhile, and none fails when the token is there.
func (w fewWork) many(ctx context.Context) error {
	if err := limitDescriptors(256); err != nil {
		return err
	}
	opts, err := w.options()
	if err != nil {
		return err
	}
	opts.Credentials = nil
	started := make(chan struct{}, fewFiles)
	opts.Callbacks.OnStarted = func(*upload.Client, upload.FileInfo) { started <- struct{}{} }
	c, err := upload.New(opts)
	if err != nil {
		return err
	}
	before := countDescriptors()
	for n := range fewFiles {
		if _, err := c.AddFile(w.file(n)); err != nil {
			return err
		}
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	for range 100 {
		<-started
	}
	if err := descriptorsClose(ctx, before+10); err != nil {
		return fmt.Errorf("while files wait for a token: %w", err)
	}
	return errors.Join(c.Init(defaultKey), c.Wait(ctx), c.Close())
}

// descriptorsClose waits until no more than so many are open. A connection is closed on a
// goroutine of its own, after CloseIdleConnections has returned.
func descriptorsClose(ctx context.Context, most int) error {
	for countDescriptors() > most {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d descriptors are open, want %d at most", countDescriptors(), most)
		}
	}
	return nil
}

// countDescriptors returns how many are open, by looking at each.
func countDescriptors() (n int) {
	for fd := range 256 {
		var st syscall.Stat_t
		if syscall.Fstat(fd, &st) == nil {
			n++
		}
	}
	return n
}

// starve lets an upload meet the limit at each of the things that it opens. RetryCount
// says never: a wait for a descriptor is no retry.
func (w fewWork) starve(ctx context.Context) error {
	if err := limitDescriptors(64); err != nil {
		return err
	}
	met := make(map[int]bool)
	for left := range 8 {
		f := w.file(left)
		told, err := w.starved(ctx, left, f)
		if err != nil {
			return fmt.Errorf("with %d descriptors left: %w", left, err)
		}
		met[left] = told
	}
	if !met[0] || !met[1] || !met[2] || met[7] {
		return fmt.Errorf("it waited with so many descriptors left: %v; want it with none, 1 and 2 (source, checkpoint, socket), and not with 7", met)
	}
	// The resolver, too, says that there is no such host where it can open nothing.
	f := w.file(0)
	f.Path, f.Endpoint = filepath.Join(w.Dir, "small"), "http://nowhere.invalid"
	if err := os.WriteFile(f.Path, []byte("small"), 0o600); err != nil {
		return err
	}
	if told, err := w.starved(ctx, 1, f); !told || err == nil || errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("a name: waited %t, and got %w; want that it waited, and then found no host", told, err)
	}
	return nil
}

// starved uploads a file while only so many descriptors are left, and returns whether
// it waited; then it gets the others.
func (w fewWork) starved(ctx context.Context, left int, f upload.File) (told bool, err error) {
	opts, err := w.options()
	if err != nil {
		return false, err
	}
	var hog hog
	defer hog.release()
	opts.Logger = slog.New(&starvedHandler{Handler: slog.DiscardHandler, then: func() {
		told = true
		hog.release()
	}})
	c, err := upload.New(opts)
	if err != nil {
		return false, err
	}
	before := countDescriptors()
	// Names that the process has not resolved yet load files, and so does the poller.
	if err := hog.take(left); err != nil {
		return false, err
	}
	_, err = c.Upload(ctx, f)
	err = errors.Join(err, c.Close())
	hog.release()
	return told, errors.Join(err, descriptorsClose(ctx, before+2)) // and the poller's, the first time
}

// A hog holds descriptors.
type hog struct {
	mu    sync.Mutex
	files []*os.File
}

// take takes all that there are but some.
func (h *hog) take(left int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			return err
		}
		h.files = append(h.files, f)
	}
	for range left {
		last := len(h.files) - 1
		if err := h.files[last].Close(); err != nil {
			return err
		}
		h.files = h.files[:last]
	}
	return nil
}

func (h *hog) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.files {
		_ = f.Close()
	}
	h.files = nil
}

// A starvedHandler calls then when the log says that an upload waits for a descriptor.
type starvedHandler struct {
	slog.Handler
	once sync.Once
	then func()
}

func (h *starvedHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *starvedHandler) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "warning" && strings.Contains(a.Value.String(), "another file or connection") {
			h.once.Do(h.then)
		}
		return true
	})
	return nil
}

// openBelow returns which files below dir this process has open.
func openBelow(t *testing.T, dir string) []string {
	t.Helper()
	const fds = "/proc/self/fd"
	entries, err := os.ReadDir(fds)
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, e := range entries {
		// One may have been closed since; sockets of other tests are none of ours.
		if target, err := os.Readlink(filepath.Join(fds, e.Name())); err == nil && strings.HasPrefix(target, dir) {
			open = append(open, target)
		}
	}
	return open
}

// A sequential file system has files that can only be read from the first byte on.
type sequential struct{ fs.FS }

func (s sequential) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	return struct{ fs.File }{f}, err
}

func TestBadFileLeavesNothingOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("open files are counted in /proc, which needs Linux")
	}
	b := newTestbed(t)
	b.dir = must(filepath.EvalSymlinks(b.dir))
	good := b.file("a.mp4", 10)
	listed := b.file("listed.mp4", 10)
	inFS := b.file("infs.mp4", 10)
	inFS.FS, inFS.Path = os.DirFS(b.dir), "infs.mp4"
	c, closed := b.client(), b.client()
	_, _ = must(c.AddFile(listed)), must(c.AddFile(inFS))
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	// A file that is forgotten must not be closed by the collector.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	control := must(os.Open(good.Path))
	if open := openBelow(t, b.dir); !slices.Equal(open, []string{good.Path}) {
		t.Fatalf("with one file open, %q are seen", open)
	}
	if err := control.Close(); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]func(f *upload.File) *upload.Client{
		"is not there":     func(f *upload.File) *upload.Client { f.Path += "x"; return c },
		"is a directory":   func(f *upload.File) *upload.Client { f.Path = b.dir; return c },
		"is one in an FS":  func(f *upload.File) *upload.Client { f.FS, f.Path = os.DirFS(b.dir), "."; return c },
		"no name of an FS": func(f *upload.File) *upload.Client { f.FS = os.DirFS(b.dir); return c },
		"no ReaderAt": func(f *upload.File) *upload.Client {
			f.FS, f.Path = sequential{os.DirFS(b.dir)}, "a.mp4"
			return c
		},
		"two sources": func(f *upload.File) *upload.Client {
			f.FS, f.Path, f.Reader = os.DirFS(b.dir), "a.mp4", strings.NewReader("")
			return c
		},
		"endpoint": func(f *upload.File) *upload.Client { f.Endpoint = "ftp://host"; return c },
		"object":   func(f *upload.File) *upload.Client { f.Object = "/slash"; return c },
		"storage class": func(f *upload.File) *upload.Client {
			f.Options = &upload.ObjectOptions{StorageClass: "Cheap"}
			return c
		},
		"info": func(f *upload.File) *upload.Client { f.Info = &upload.Info{Priority: 11}; return c },
		"callback": func(f *upload.File) *upload.Client {
			f.Options = &upload.ObjectOptions{Callback: &upload.Callback{}}
			return c
		},
		"object of an FS":    func(f *upload.File) *upload.Client { *f = inFS; f.Object = ""; return c },
		"listed already":     func(f *upload.File) *upload.Client { *f = listed; return c },
		"listed, of an FS":   func(f *upload.File) *upload.Client { *f = inFS; return c },
		"client is closed":   func(*upload.File) *upload.Client { return closed },
		"closed, with an FS": func(f *upload.File) *upload.Client { *f = inFS; return closed },
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			if _, err := bad(&f).AddFile(f); err == nil {
				t.Error("it was added, want an error")
			}
			if open := openBelow(t, b.dir); len(open) > 0 {
				t.Errorf("%q are open, want none", open)
			}
		})
	}
}
