//go:build linux || darwin

package upload_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// localEnv holds what a process in trouble uploads, as JSON. It is a process of its
// own because what it gives up, or bounds, is the process's.
const localEnv = "VODUPLOAD_LOCAL"

func init() { children[localEnv] = localChild }

type localWork struct {
	Trouble  string
	HalfWay  bool // it comes with the fourth part, else before the upload
	Optional bool
	Base     string // a directory of the test's
	Endpoint string
}

// A localWord is what came of it.
type localWord struct {
	Skip       string
	Failed     string
	Checkpoint bool // it is ErrCheckpoint
	Code       string
	Log        string
	Left       []string // in the directory of checkpoints, once the upload has ended
	Mended     string   // error of a second upload without the trouble
	Resumed    int      // parts, of the second
}

// A localTrouble befalls the directory of checkpoints or the source.
type localTrouble struct {
	name string
	// come makes it so; go_ ends it.
	come, go_ func(base string) error
	plain     bool // it does not bind root: be somebody else
	tmpfs     bool // the checkpoints are on a small disk
}

const (
	nobody    = 65534
	smallDisk = 64 * kib
)

var localTroubles = []localTrouble{
	{name: "disk full", tmpfs: true, come: fillDisk, go_: func(base string) error { return os.Remove(filler(base)) }},
	{name: "limit of file size", come: func(string) error { return limitFiles(0) }, go_: func(string) error { return limitFiles(math.MaxUint64) }},
	{name: "room for half a page", come: func(string) error { return limitFiles(2000) }, go_: func(string) error { return limitFiles(math.MaxUint64) }},
	{name: "read-only directory", plain: true, come: modeOf("checkpoints", 0o555), go_: modeOf("checkpoints", 0o700)},
	{name: "directory that cannot be entered", plain: true, come: modeOf("checkpoints", 0), go_: modeOf("checkpoints", 0o700)},
	{name: "source that cannot be reached", plain: true, come: modeOf("source", 0), go_: modeOf("source", 0o700)},
}

func modeOf(dir string, mode os.FileMode) func(string) error {
	return func(base string) error { return os.Chmod(filepath.Join(base, dir), mode) }
}

// limitFiles bounds how long a file may be that is written to, for this process. Its
// other limit, which root alone could raise again, stays.
func limitFiles(n uint64) error {
	signal.Ignore(syscall.SIGXFSZ)
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
		return err
	}
	l.Cur = min(n, l.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l)
}

func filler(base string) string { return filepath.Join(base, "checkpoints", "filler") }

func fillDisk(base string) error {
	err := os.WriteFile(filler(base), make([]byte, 2*smallDisk), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk does not fill: %w", err)
	}
	return nil
}

// localChild uploads while it is in trouble, and once more when that is over.
func localChild() error {
	var w localWork
	if err := json.Unmarshal([]byte(os.Getenv(localEnv)), &w); err != nil {
		return err
	}
	var word localWord
	for _, tr := range localTroubles {
		if tr.name != w.Trouble {
			continue
		}
		err := tr.prepare(w.Base)
		if err == nil {
			err = tr.live(w, &word)
		}
		var not *notHereError
		if errors.As(err, &not) {
			word.Skip = not.Error()
		} else if err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(word)
}

// A notHereError says why a trouble cannot be had on this machine.
type notHereError struct {
	what string
	err  error
}

func (e *notHereError) Error() string { return e.what + ": " + e.err.Error() }

// prepare makes the directories and the source, and becomes who the trouble binds.
func (tr localTrouble) prepare(base string) error {
	dirs := []string{filepath.Join(base, "checkpoints"), filepath.Join(base, "source")}
	path := filepath.Join(base, "source", "film.mp4")
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(path, make([]byte, 900*kib), 0o600); err != nil {
		return err
	}
	if tr.tmpfs {
		if err := mountSmall(dirs[0]); err != nil {
			return &notHereError{"no small disk can be mounted here", err}
		}
	}
	if !tr.plain || os.Getuid() != 0 {
		return nil
	}
	for _, name := range append(dirs, path) {
		if err := os.Chown(name, nobody, nobody); err != nil {
			return err
		}
	}
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		return &notHereError{"this process is root, and cannot be anybody else", err}
	}
	if _, err := os.Stat(path); err != nil {
		return &notHereError{"this process is root, and nobody else can reach the temporary directory", err}
	}
	return nil
}

func (tr localTrouble) live(w localWork, word *localWord) error {
	dir := filepath.Join(w.Base, "checkpoints")
	store, err := checkpoint.OpenDir(dir)
	if err != nil {
		return err
	}
	defer store.Close()
	var log logBuffer
	come := func() error { return tr.come(w.Base) }
	opts := &upload.Options{
		Credentials: sts.Static(defaultKey), Checkpoints: store, CheckpointsOptional: w.Optional,
		PartSize: 100 * kib, RetryInterval: 5 * time.Millisecond, Parallel: 1,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}
	var half error
	if w.HalfWay {
		opts.HTTPClient = partTransport(4, func() { half = come() })
	} else if err := come(); err != nil {
		return err
	}
	f := upload.File{Path: filepath.Join(w.Base, "source", "film.mp4"), Endpoint: w.Endpoint, Bucket: bucket, Object: "film"}
	_, uerr := uploadOnce(opts, f)
	word.failed(uerr)
	if err := errors.Join(half, tr.go_(w.Base)); err != nil {
		return err
	}
	for _, e := range must(os.ReadDir(dir)) {
		word.Left = append(word.Left, e.Name())
	}
	if uerr != nil {
		r, err := uploadOnce(opts, f)
		word.Resumed = r.ResumedParts
		if err != nil {
			word.Mended = err.Error()
		}
	}
	word.Log = log.String()
	return nil
}

func uploadOnce(opts *upload.Options, f upload.File) (upload.Result, error) {
	c, err := upload.New(opts)
	if err != nil {
		return upload.Result{}, err
	}
	r, err := c.Upload(context.Background(), f)
	return r, errors.Join(err, c.Close())
}

func (w *localWord) failed(err error) {
	if err == nil {
		return
	}
	w.Failed, w.Checkpoint = err.Error(), errors.Is(err, upload.ErrCheckpoint)
	var e *upload.Error
	if errors.As(err, &e) {
		w.Code = e.Code
	}
}

// inTrouble has a process upload in trouble.
func (b *testbed) inTrouble(w localWork) (word localWord) {
	b.t.Helper()
	// Not below the test's own directory, which is for this user alone.
	base, err := os.MkdirTemp("", "vodupload-local-")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = os.RemoveAll(base) })
	w.Base, w.Endpoint = base, b.server.URL
	if err := os.Chmod(base, 0o755); err != nil {
		b.t.Fatal(err)
	}
	cmd := exec.CommandContext(b.ctx, must(os.Executable()))
	// Without the second that the race detector waits at the end of a process.
	cmd.Env = append(os.Environ(), localEnv+"="+string(must(json.Marshal(w))), "GORACE=atexit_sleep_ms=0")
	if w.Trouble == "disk full" {
		ownMounts(cmd)
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if w.Trouble == "disk full" && errs.Len() == 0 {
			b.t.Skipf("no small disk can be mounted here: %v", err)
		}
		b.t.Fatalf("the process ended with %v: %s", err, errs.String())
	}
	if err := json.Unmarshal([]byte(out.String()), &word); err != nil {
		b.t.Fatalf("the process said %q: %v", out.String(), err)
	}
	if word.Skip != "" {
		b.t.Skip(word.Skip)
	}
	return word
}

// TestLocalTroubleBefore: no checkpoint can be made.
func TestLocalTroubleBefore(t *testing.T) {
	for name, says := range map[string][]string{
		"disk full":                        {"no space left on device", "free some space, or choose another directory"},
		"limit of file size":               {"file too large", "choose another directory"},
		"room for half a page":             {"file too large", "choose another directory"},
		"read-only directory":              {"permission denied", "make it writable for this user, or choose another directory"},
		"directory that cannot be entered": {"permission denied", "make it writable for this user, or choose another directory"},
	} {
		t.Run(name+": says so before sending", func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t)
			w := b.inTrouble(localWork{Trouble: name})
			if !w.Checkpoint {
				t.Errorf("got %q, want ErrCheckpoint", w.Failed)
			}
			saysAll(t, w.Failed, append(says, "/checkpoints/", "CheckpointsOptional")...)
			if denied := says[0] == "permission denied"; denied != (w.Code == upload.CodePermissionDenied) {
				t.Errorf("the code is %s", w.Code)
			}
			if len(w.Left) > 0 {
				t.Errorf("%v is left", w.Left)
			}
			parts, begun := b.server.Count(osstest.OpUploadPart), b.server.Count(osstest.OpInitiateMultipartUpload)
			if begun != b.server.Count(osstest.OpAbortMultipartUpload)+1 || parts != 9 { // those of the second upload
				t.Errorf("%d uploads were begun, %d aborted, %d parts sent; want all but one aborted, and the 9 parts of that", begun, b.server.Count(osstest.OpAbortMultipartUpload), parts)
			}
			b.endsWell(w)
		})
		t.Run(name+": goes on without where it may", func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t)
			w := b.inTrouble(localWork{Trouble: name, Optional: true})
			if w.Failed != "" || len(w.Left) > 0 {
				t.Errorf("got %q, and %v is left; want success and nothing", w.Failed, w.Left)
			}
			saysAll(t, w.Log, "continues without", says[0])
			b.endsWell(w)
		})
	}
}

// TestLocalTroubleHalfWay: it comes when some parts are there.
func TestLocalTroubleHalfWay(t *testing.T) {
	const limited = "limit of file size" // a full disk still has the room that the file has already
	t.Run(limited+": ErrCheckpoint, and goes on when it is mended", func(t *testing.T) {
		t.Parallel()
		b := newTestbed(t)
		w := b.inTrouble(localWork{Trouble: limited, HalfWay: true})
		if !w.Checkpoint || w.Resumed < 3 {
			t.Errorf("got %q, then %d parts resumed; want ErrCheckpoint, and at least 3", w.Failed, w.Resumed)
		}
		saysAll(t, w.Failed, "/checkpoints/", "file too large", "choose another directory")
		b.endsWell(w)
	})
	t.Run(limited+": goes on where it may", func(t *testing.T) {
		t.Parallel()
		b := newTestbed(t)
		w := b.inTrouble(localWork{Trouble: limited, HalfWay: true, Optional: true})
		if w.Failed != "" || len(w.Left) > 0 {
			t.Errorf("got %q, and %v is left; want success and nothing", w.Failed, w.Left)
		}
		saysAll(t, w.Log, "continues without", "/checkpoints/")
		b.endsWell(w)
	})
	t.Run("read-only directory: the object is there, what cannot be removed is told", func(t *testing.T) {
		t.Parallel()
		b := newTestbed(t)
		w := b.inTrouble(localWork{Trouble: "read-only directory", HalfWay: true})
		// On a slow disk it has a file of parts beside it, which that write has not reached yet.
		if w.Failed != "" || len(w.Left) < 1 || len(w.Left) > 2 {
			t.Errorf("got %q, and %v is left; want success, and the checkpoint that is open", w.Failed, w.Left)
		}
		saysAll(t, w.Log, "remove checkpoint", "/checkpoints/", "permission denied")
		b.endsWell(w)
	})
	t.Run("source that cannot be reached: PermissionDenied, and goes on when it can", func(t *testing.T) {
		t.Parallel()
		b := newTestbed(t)
		w := b.inTrouble(localWork{Trouble: "source that cannot be reached", HalfWay: true})
		if w.Code != upload.CodePermissionDenied || w.Resumed < 3 || w.Checkpoint {
			t.Errorf("got %q (%s), then %d parts resumed; want PermissionDenied, and at least 3", w.Failed, w.Code, w.Resumed)
		}
		saysAll(t, w.Failed, "/source/film.mp4", "permission denied")
		b.endsWell(w)
	})
}

// endsWell wants the object there and nothing else.
func (b *testbed) endsWell(w localWord) {
	b.t.Helper()
	if w.Mended != "" {
		b.t.Errorf("the second upload, without the trouble: %s", w.Mended)
	}
	if got := b.content("film"); string(got) != string(make([]byte, 900*kib)) {
		b.t.Errorf("the object has %d bytes, and others than the source", len(got))
	}
	if n := len(b.server.Uploads(bucket)); n > 0 {
		b.t.Errorf("%d unfinished uploads are left at the server", n)
	}
	if b.t.Failed() {
		b.t.Logf("its log:\n%s", w.Log)
	}
}
