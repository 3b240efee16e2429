package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/osstest"
)

// withQueue gives the world a server for the queue.
func (w *world) withQueue() *world {
	w.t.Helper()
	server, err := embedded.Run(&embedded.Options{Dir: w.t.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = server.Close() })
	w.environ = append(w.environ, "NATS_URL="+server.URL(), "OSS_ENDPOINT="+w.server.URL)
	return w
}

// A serving is a worker that serves the queue while a test does something else.
type serving struct {
	w       *world
	signals chan os.Signal
	ended   chan ran
}

func (w *world) serve(flags ...string) *serving {
	s := &serving{w, make(chan os.Signal, 2), make(chan ran, 1)}
	go func() {
		var stdout, stderr bytes.Buffer
		code := run(append([]string{"worker", "--folder", w.dir, "--retries", "0", "--name", "north", "--sync-always"}, flags...), env{
			stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
			environ: w.environ, now: time.Now, signals: s.signals, exit: w.exit,
		})
		s.ended <- ran{code, stdout.String(), stderr.String()}
	}()
	return s
}

// stop ends the worker by a signal.
func (s *serving) stop(by os.Signal) ran {
	s.signals <- by
	return <-s.ended
}

func TestFleetUploadsWhatIsEnqueued(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withQueue()
	w.file("a/talk.mp4", 300_000)
	w.file("a/b c.srt", 100)
	w.file("bad.mp4", 100)
	w.server.Inject(osstest.Fail(osstest.OpPutObject, 400, "InvalidArgument").Key("in/bad.mp4").Always())

	r := w.run("enqueue", filepath.Join(w.dir, "a"), "oss://media/in/").wants(t, exitOK)
	ids := strings.Fields(r.stdout)
	if len(ids) != 2 {
		t.Fatalf("printed %q, want two IDs", r.stdout)
	}
	w.run("enqueue", filepath.Join(w.dir, "a"), "oss://media/in/").wants(t, exitOK).says(t, "in the queue already: job "+ids[0])
	w.run("jobs").wants(t, exitOK).says(t, ids[0], "queued", "talk.mp4", "oss://media/in/b c.srt", "2 waiting", "0 workers")

	north := w.serve()
	r = w.run("enqueue", filepath.Join(w.dir, "bad.mp4"), "oss://media/in/", "--id", "bad", "--wait").wants(t, exitFailed)
	r.says(t, "job bad is dead", "InvalidArgument")
	w.run("jobs", "bad").wants(t, exitOK).says(t, "dead", "north", "InvalidArgument")
	w.run("jobs", "--state", "dead", "--json").wants(t, exitOK).events(t)
	w.server.ClearFaults()
	w.run("jobs", "retry", "bad").wants(t, exitOK)
	w.run("enqueue", filepath.Join(w.dir, "bad.mp4"), "oss://media/in/", "--id", "bad", "--wait").wants(t, exitOK)
	w.run("jobs", "delete", "bad").wants(t, exitOK)
	w.run("jobs", "bad").wants(t, exitNotFound)
	for _, id := range ids {
		w.untilJob(id, "succeeded")
	}
	if o, ok := w.server.Object("media", "in/talk.mp4"); !ok || o.Size != 300_000 || len(w.server.Objects("media")) != 3 {
		t.Errorf("object %v, %v, %d objects", o, ok, len(w.server.Objects("media")))
	}
	w.run("jobs", "retry", ids[0]).wants(t, exitFailed).says(t, "cannot bring back: job "+ids[0]+" is succeeded, want dead")
	north.stop(syscall.SIGTERM).wants(t, exitOK).says(t, "serving queue main", "back in the queue",
		"job succeeded: job "+ids[0], "bytes 293 KiB", "vodupload jobs retry brings it back: job bad, attempts 1: north: upload")
	w.serve().stop(os.Interrupt).wants(t, exitInterrupted)
}

func TestFleetUploadsFromWebServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withQueue()
	origin := httptest.NewServer(http.FileServer(http.Dir(w.dir)))
	t.Cleanup(origin.Close)
	w.file("talk.mp4", 300_000)
	source := origin.URL + "/talk.mp4?Signature=hush"
	r := w.run("enqueue", source, "oss://media/in/").wants(t, exitOK)
	id := strings.TrimSpace(r.stdout)
	for _, args := range [][]string{{"jobs"}, {"jobs", "--json"}, {"enqueue", source, "oss://media/in/"}} {
		if r := w.run(args...).wants(t, exitOK); strings.Contains(r.stdout+r.stderr, "hush") {
			t.Errorf("%q shows a signature: %s%s", args, r.stdout, r.stderr)
		}
	}
	north := w.serve("--http")
	w.untilJob(id, "succeeded")
	if o, ok := w.server.Object("media", "in/talk.mp4"); !ok || o.Size != 300_000 {
		t.Errorf("object %v, %v", o, ok)
	}
	north.stop(syscall.SIGTERM).wants(t, exitOK)
	empty := t.TempDir()
	w.run("enqueue", empty, "oss://media/in/").wants(t, exitOK).says(t, "no files in "+empty)
}

// untilJob waits until a job is in a state.
func (w *world) untilJob(id, state string) {
	w.t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		r := w.run("jobs", id).wants(w.t, exitOK)
		if strings.Contains(r.stdout, state) {
			return
		}
		if time.Since(began) > 30*time.Second {
			w.t.Fatalf("job %s is not %s:\n%s", id, state, r.stdout)
		}
	}
}

func TestFleetRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withQueue()
	file := w.file("x", 1)
	dead := "nats://me:hush@" + deadAddress
	w.environ = append(w.environ, "VODUPLOAD_CHECKPOINT_DIR="+w.state) // is for other commands
	for name, tt := range map[string]struct {
		code int
		says string
		args []string
	}{
		"no folder":             {exitUsage, "--folder", []string{"worker"}},
		"a checkpoint folder":   {exitUsage, "kept with the queue", []string{"worker", "--folder", w.dir, "--checkpoint-dir", w.state}},
		"a number out of range": {exitUsage, "256", []string{"worker", "--folder", w.dir, "--files", "1000"}},
		"a queue's bad name":    {exitUsage, `--queue: got "a b"`, []string{"jobs", "--queue", "a b"}},
		"a fleet's bad name":    {exitUsage, `--namespace: got "a b"`, []string{"worker", "--folder", w.dir, "--namespace", "a b"}},
		"a job's bad name":      {exitUsage, `--id: got "a b"`, []string{"enqueue", file, "oss://media/in/", "--id", "a b"}},
		"a folder of nobody":    {exitNotFound, "nothere", []string{"worker", "--folder", filepath.Join(w.dir, "nothere")}},
		"a file for a folder":   {exitUsage, "not a folder", []string{"worker", "--folder", file}},
		"a pipe":                {exitUsage, "standard input", []string{"enqueue", "-", "oss://media/in/"}},
		"a URL without a file":  {exitUsage, "no file name", []string{"enqueue", "https://example.com/", "oss://media/in/"}},
		"a bucket for a source": {exitUsage, "last argument", []string{"enqueue", file, "oss://media/in/", "oss://media/out/"}},
		"no destination":        {exitUsage, "destination", []string{"enqueue", file}},
		"a file of nobody":      {exitNotFound, "nothere", []string{"enqueue", filepath.Join(w.dir, "nothere"), "oss://media/in/"}},
		"an ID for several":     {exitUsage, "--id", []string{"enqueue", file, w.file("other.mp4", 10), "oss://media/in/", "--id", "x"}},
		"several to one object": {exitUsage, "slash", []string{"enqueue", file, file, "oss://media/in"}},
		"a state of none":       {exitUsage, "--state", []string{"jobs", "--state", "lost"}},
		"a job of nobody":       {exitNotFound, "nobody", []string{"jobs", "retry", "nobody"}},
		"no ID":                 {exitUsage, "IDs", []string{"jobs", "delete"}},
		"no server":             {exitTemporary, "nats-server -js", []string{"jobs", "--nats", dead}},
		"no server for worker":  {exitTemporary, "--nats", []string{"worker", "--folder", w.dir, "--nats", dead}},
		"a file of credentials": {exitUsage, "nothere", []string{"jobs", "--nats-creds", filepath.Join(w.dir, "nothere")}},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.run(tt.args...).wants(t, tt.code)
			r.says(t, tt.says)
			if strings.Contains(r.stderr, "hush") {
				t.Errorf("a password is shown: %s", r.stderr)
			}
		})
	}
}

// What cannot be a job is named, and keeps no other from being one: as cp has it.
func TestEnqueueGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t).withQueue()
	one, other := w.file("one/a.mp4", 10), w.file("two/a.mp4", 10)
	w.file("one/b.mp4", 10)
	if err := os.WriteFile(filepath.Join(w.dir, "one", "a\nb.mp4"), nil, 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(other, filepath.Join(w.dir, "one", "link")); err != nil {
		t.Skip(err)
	}
	r := w.run("enqueue", filepath.Dir(one), one, other, "oss://media/").wants(t, exitFailed)
	for _, want := range []string{
		one + " and " + other + " would both become oss://media/a.mp4", `object name "a\nb.mp4"`, "not a regular file: " + filepath.Join(w.dir, "one", "link"),
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("want %q in\n%s", want, r.stderr)
		}
	}
	if ids := strings.Fields(r.stdout); len(ids) != 2 {
		t.Errorf("jobs are %q, want those of a.mp4 and b.mp4", ids)
	}
}
