package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// interrupted is a world in which a cp was killed: of talk.mp4, some parts are at the server.
func interruptedWorld(t *testing.T) *world {
	w := newWorld(t)
	w.file("talk.mp4", 500_000)
	hang := osstest.Hang(osstest.OpUploadPart).Nth(3)
	w.server.Inject(hang)
	cmd, out := w.command("cp", w.dir+"/talk.mp4", "oss://media/in/", "--part-size", "100K", "--parallel", "1",
		"--endpoint", w.server.URL, "--checkpoint-dir", w.state)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-hang.Fired()
	w.untilRecorded(2)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = cmd.Wait()
	hang.Release()
	return w
}

// untilRecorded waits until the checkpoint has n parts.
func (w *world) untilRecorded(n int) {
	w.t.Helper()
	for {
		all, err := unfinishedHere(w.t.Context(), w.state)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(all) == 1 && all[0].Parts >= n {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// kept runs a command on the checkpoints.
func (w *world) kept(args ...string) ran {
	w.t.Helper()
	return w.upload(args...)
}

func (w *world) uploadID() string {
	w.t.Helper()
	all := w.server.Uploads("media")
	if len(all) != 1 {
		w.t.Fatalf("%d unfinished uploads at the server, want 1", len(all))
	}
	return all[0].UploadID
}

func TestUploadsListsCheckpoints(t *testing.T) {
	t.Parallel()
	w := interruptedWorld(t)
	id := w.uploadID()
	r := w.kept("uploads").wants(t, exitOK)
	for _, want := range []string{id[:shownOfID], "200 KiB of 488 KiB", "resumable", "talk.mp4", "oss://media/in/talk.mp4"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("does not say %q in\n%s", want, r.stdout)
		}
	}
	events := w.kept("uploads", "--json").wants(t, exitOK).events(t)
	if e := events[0]; len(events) != 2 || e.Type != "upload" || e.UploadID != id || e.Parts != 2 || *e.Size != 500_000 || e.Object != "in/talk.mp4" {
		t.Errorf("events %+v", events)
	}
	w.state = t.TempDir()
	if r := w.kept("uploads").wants(t, exitOK); r.stdout != "" || !strings.Contains(r.stderr, "no unfinished uploads in "+w.state) {
		t.Errorf("an empty folder: %s%s", r.stdout, r.stderr)
	}
	if r := w.kept("uploads", "oss://media/in/").wants(t, exitOK); !strings.Contains(r.stdout, "not known here") || !strings.Contains(r.stdout, id[:shownOfID]) {
		t.Errorf("of the server: %s%s", r.stdout, r.stderr)
	}
	if r := w.kept("uploads", "oss://media/out/").wants(t, exitOK); r.stdout != "" {
		t.Errorf("of another prefix: %s", r.stdout)
	}
	w.kept("uploads", "media").wants(t, exitUsage)
	w.kept("uploads", "oss://media/", "oss://other/").wants(t, exitUsage)
	w.kept("uploads", "oss://nobody/").wants(t, exitFailed)
}

func TestResume(t *testing.T) {
	t.Parallel()
	t.Run("all", func(t *testing.T) {
		w := interruptedWorld(t)
		w.server.ResetRequests()
		events := w.kept("resume", "--json").wants(t, exitOK).events(t)
		if o, ok := w.server.Object("media", "in/talk.mp4"); !ok || o.Size != 500_000 {
			t.Errorf("object %v, %v", o, ok)
		}
		if s := events[len(events)-1].Summary; s.Resumed < 200<<10 || s.Uploaded != 1 {
			t.Errorf("summary %+v, want what was sent before to count", s)
		}
		if r := w.kept("resume").wants(t, exitOK); !strings.Contains(r.stderr, "no unfinished uploads") {
			t.Errorf("says %s", r.stderr)
		}
	})
	t.Run("one by the beginning of its ID", func(t *testing.T) {
		w := interruptedWorld(t)
		id := w.uploadID()
		w.kept("resume", "nobody").wants(t, exitUsage)
		w.kept("resume", id[:6]).wants(t, exitOK)
	})
	t.Run("3 where the file is gone", func(t *testing.T) {
		w := interruptedWorld(t)
		if err := os.Remove(w.dir + "/talk.mp4"); err != nil {
			t.Fatal(err)
		}
		if r := w.kept("resume").wants(t, exitNotFound); !strings.Contains(r.stderr, "sweep --abort") {
			t.Errorf("says %s", r.stderr)
		}
	})
	t.Run("without an endpoint in the configuration", func(t *testing.T) {
		w := interruptedWorld(t)
		w.environ = append(w.environ, "OSS_REGION=")
		w.run("resume", "--checkpoint-dir", w.state).wants(t, exitOK)
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"", "oss://media/in/"} {
		t.Run("of "+where, func(t *testing.T) {
			w := interruptedWorld(t)
			args := []string{"sweep"}
			if where != "" {
				args = append(args, where)
			}
			if r := w.kept(args...).wants(t, exitOK); !strings.Contains(r.stderr, "nothing to sweep") {
				t.Errorf("finds what is younger than a day: %s%s", r.stdout, r.stderr)
			}
			args = append(args, "--older-than", "0s")
			r := w.kept(args...).wants(t, exitOK)
			if !strings.Contains(r.stdout, "abandoned") || !strings.Contains(r.stderr, "1 abandoned upload") || !strings.Contains(r.stderr, "--abort") {
				t.Errorf("says\n%s%s", r.stdout, r.stderr)
			}
			id := w.uploadID() // is there still
			if where != "" {
				w.kept(append(args, "--abort")...).wants(t, exitUsage).says(t, "--only-this-machine")
				args = append(args, "--only-this-machine")
			}
			r = w.kept(append(args, "--abort")...).wants(t, exitOK)
			if len(w.server.Uploads("media")) != 0 || !strings.Contains(r.stdout, id[:shownOfID]) || !strings.Contains(r.stderr, "1 upload aborted") {
				t.Errorf("says\n%s%s", r.stdout, r.stderr)
			}
		})
	}
	t.Run("4 where the right is missing", func(t *testing.T) {
		w := interruptedWorld(t)
		w.server.Inject(osstest.Fail(osstest.OpAbortMultipartUpload, 403, "AccessDenied").Always())
		if r := w.kept("sweep", "--older-than", "0s", "--abort").wants(t, exitDenied); !strings.Contains(r.stderr, "AccessDenied") {
			t.Errorf("says %s", r.stderr)
		}
	})
	t.Run("2 for a bad age", func(t *testing.T) { newWorld(t).kept("sweep", "--older-than", "-1h").wants(t, exitUsage) })
}

func TestTableFitsTheTerminal(t *testing.T) {
	long := table{{"ID", "STATE", "WORKER", "OBJECT", ""}, {"a1", "dead", "-", "oss://media/电影.mp4", "404"}, {"b2", "queued", "north", "x", ""}}
	for limit, want := range map[int]string{
		0: "ID  STATE   WORKER  OBJECT\na1  dead    -       oss://media/电影.mp4  404\nb2  queued  north   x\n",
		// One column less than the widest row has: what has no room stands below.
		44: "ID  STATE   WORKER  OBJECT\na1  dead    -       oss://media/电影.mp4\n  404\nb2  queued  north   x\n",
		20: "ID  STATE   WORKER\na1  dead    -\n  object: oss://media/电影.mp4\n  404\nb2  queued  north\n  object: x\n",
		1:  "ID\na1\n  state: dead\n  object: oss://media/电影.mp4\n  404\nb2\n  state: queued\n  worker: north\n  object: x\n",
	} {
		if got := strings.Join(long.lines(limit), "\n") + "\n"; got != want {
			t.Errorf("%d columns: got\n%swant\n%s", limit, got, want)
		}
	}
}
