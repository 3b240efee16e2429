package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A world is an OSS server and all else that a run of the command sees.
type world struct {
	t       *testing.T
	server  *osstest.Server
	environ []string
	stdin   string
	signals chan os.Signal
	exit    func(int)
	dir     string // of the sources
	state   string // of the checkpoints
}

func newWorld(t *testing.T) *world {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	t.Cleanup(server.Close)
	return &world{
		t: t, server: server, signals: make(chan os.Signal, 2), dir: t.TempDir(), state: t.TempDir(),
		exit: func(code int) { t.Errorf("exit at once with %d", code) },
		environ: []string{
			"HOME=" + t.TempDir(),
			"OSS_ACCESS_KEY_ID=" + osstest.DefaultKey.AccessKeyID,
			"OSS_ACCESS_KEY_SECRET=" + osstest.DefaultKey.AccessKeySecret,
			"OSS_REGION=cn-hangzhou",
			"ALIBABA_CLOUD_ECS_METADATA_DISABLED=true",
			"VODUPLOAD_STS_ENDPOINT=http://" + deadAddress,
		},
	}
}

// file makes a source of n bytes and returns its path.
func (w *world) file(name string, n int) string {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte(name), n/len(name)+1)[:n], 0o644); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// A ran is what a run has left behind.
type ran struct {
	code           int
	stdout, stderr string
}

// run runs the command as typed.
func (w *world) run(args ...string) ran {
	w.t.Helper()
	return w.bare(args...)
}

// bare is run without a test.
func (w *world) bare(args ...string) ran {
	var stdout, stderr bytes.Buffer
	code := run(args, env{
		stdin: strings.NewReader(w.stdin), stdout: &stdout, stderr: &stderr,
		environ: w.environ, now: time.Now, signals: w.signals, exit: w.exit,
	})
	return ran{code, stdout.String(), stderr.String()}
}

// upload runs a command that uploads to the server.
func (w *world) upload(args ...string) ran {
	w.t.Helper()
	return w.run(append(args, "--endpoint", w.server.URL, "--checkpoint-dir", w.state)...)
}

// wants fails the test unless the run ended with the code.
func (r ran) wants(t *testing.T, code int) ran {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.stdout, r.stderr)
	}
	return r
}

// events returns what the run wrote with --json, all of which has to be JSON.
func (r ran) events(t *testing.T) []output.Event {
	t.Helper()
	var events []output.Event
	for line := range strings.Lines(r.stdout) {
		var e output.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.V != output.Version || e.Type == "" {
			t.Fatalf("%v in %q, a line of\n%s", err, line, r.stdout)
		}
		events = append(events, e)
	}
	if n := len(events); n == 0 || events[n-1].Type != "summary" {
		t.Fatalf("the last line is no summary:\n%s", r.stdout)
	}
	return events
}

func TestCpOneFile(t *testing.T) {
	w := newWorld(t)
	path := w.file("talk.mp4", 300_000)
	w.upload("cp", path, "oss://media/in/").wants(t, exitOK)
	object, ok := w.server.Object("media", "in/talk.mp4")
	if !ok || object.Size != 300_000 {
		t.Errorf("object: %v, %v", object, ok)
	}
}
