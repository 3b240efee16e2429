package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/vodupload/internal/hotfolder"
	"github.com/vodupload/vodupload/upload/osstest"
)

// watch runs watch until all that is complete is uploaded.
func (w *world) watch(args ...string) ran {
	w.t.Helper()
	return w.upload(append([]string{"watch", w.dir, "oss://media/in/", "--once", "--settle", "60ms", "--poll", "20ms"}, args...)...)
}

func TestWatchUploadsAFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.file("a/talk.mp4", 300_000)
	w.file("small.srt", 100)
	w.file("half.mp4.part", 100)
	r := w.watch().wants(t, exitOK)
	if o, ok := w.server.Object("media", "in/a/talk.mp4"); !ok || o.Size != 300_000 {
		t.Errorf("object %v, %v", o, ok)
	}
	if n := len(w.server.Objects("media")); n != 2 {
		t.Errorf("%d objects, want 2", n)
	}
	for _, want := range []string{"watching " + w.dir, "oss://media/in/", "uploaded: a/talk.mp4", "uploaded: small.srt"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("nobody says %q in\n%s", want, r.stderr)
		}
	}
	w.file("more.mp4", 10)
	if s := last(w.watch("--json").wants(t, exitOK).events(t)).Summary; s.Files != 1 || s.Uploaded != 1 || s.Left != 0 {
		t.Errorf("summary: %+v", s)
	}
	sent := w.server.Count()
	r = w.watch().wants(t, exitOK)
	if n := w.server.Count() - sent; n > 1 || !strings.Contains(r.stderr, "uploaded before: 3 files") {
		t.Errorf("a second run makes %d requests, want one to see that the bucket is there\n%s", n, r.stderr)
	}
}

func TestWatchDeletesAndMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.file("a/talk.mp4", 300_000)
	w.file("a/talk.mp4.ready", 1)
	w.file("other.mp4", 10)
	w.watch("--after", "delete", "--trigger", ".ready").wants(t, exitOK)
	if _, err := os.Stat(filepath.Join(w.dir, "a/talk.mp4")); err == nil {
		t.Error("the file is there still")
	}
	w.watch("--after", "move="+filepath.Join(w.dir, "done")).wants(t, exitOK)
	if _, err := os.Stat(filepath.Join(w.dir, "done/other.mp4")); err != nil {
		t.Error(err)
	}
	if n := len(w.server.Objects("media")); n != 2 {
		t.Errorf("%d objects, want 2", n)
	}
}

// The list of what was uploaded, which is with the checkpoints, would be uploaded and deleted;
// the uploads of what was moved would never end.
func TestWatchTakesNothingOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(w *world) ran{
		"of checkpoints in the folder": func(w *world) ran {
			w.state = filepath.Join(w.dir, "state")
			w.watch("--after", "delete").wants(t, exitOK)
			w.file("more.mp4", 10)
			return w.watch("--after", "delete")
		},
		"of files moved within, by a link": func(w *world) ran {
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(w.dir, link); err != nil {
				t.Skip(err)
			}
			w.file("more.mp4", 10)
			w.dir = link
			w.watch("--after", "move="+filepath.Join(link, "done", "today")).wants(t, exitOK)
			return w.watch("--after", "move="+filepath.Join(link, "done", "today"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.file("talk.mp4", 10)
			run(w).wants(t, exitOK)
			if n := len(w.server.Objects("media")); n != 2 {
				t.Errorf("%d objects, want 2: %v", n, w.server.Objects("media"))
			}
		})
	}
}

func TestWatchPutsAsideWhatCannotBeUploaded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.file("good.mp4", 1000)
	w.watch().wants(t, exitOK)
	w.file("bad.mp4", 1000)
	w.file("new.mp4", 1000)
	w.server.Inject(osstest.Fail(osstest.OpPutObject, 400, "InvalidObjectName").Key("in/bad.mp4").Always())
	r := w.watch().wants(t, exitFailed)
	var f hotfolder.Failure
	text, _ := os.ReadFile(filepath.Join(w.dir, "failed/bad.mp4.error.json"))
	if err := json.Unmarshal(text, &f); err != nil || f.Code != "InvalidObjectName" || f.Object != "in/bad.mp4" || f.Name != "bad.mp4" || f.Size != 1000 {
		t.Errorf("%v in %s", err, text)
	}
	if _, ok := w.server.Object("media", "in/new.mp4"); !ok || !strings.Contains(r.stderr, "bad.mp4 is in the folder failed now") {
		t.Errorf("the others were not uploaded: %s", r.stderr)
	}
}

func TestWatchDoesNotBlameFilesForWhatIsOfAll(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault *osstest.Fault
		code  int
	}{
		"no right":         {osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Always(), exitDenied},
		"a disabled owner": {osstest.Fail(osstest.OpPutObject, 403, "UserDisable").Always(), exitDenied},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			path := w.file("a.mp4", 1000)
			w.server.Inject(tt.fault)
			w.watch().wants(t, tt.code)
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWatchRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.file("x", 1)
	for name, tt := range map[string]struct {
		code int
		says string
		args []string
	}{
		"no destination":        {exitUsage, "wanted a folder", []string{"watch", w.dir}},
		"a bad destination":     {exitUsage, "oss://BUCKET", []string{"watch", w.dir, "media"}},
		"a folder of nobody":    {exitNotFound, "nothere", []string{"watch", filepath.Join(w.dir, "nothere"), "oss://media/"}},
		"a file":                {exitUsage, "not a folder", []string{"watch", file, "oss://media/"}},
		"a bad --after":         {exitUsage, "leave, delete or move=FOLDER", []string{"watch", w.dir, "oss://media/", "--after", "move"}},
		"a bad --trigger":       {exitUsage, "--trigger", []string{"watch", w.dir, "oss://media/", "--trigger", "ready"}},
		"a bad --temporary":     {exitUsage, "--temporary", []string{"watch", w.dir, "oss://media/", "--temporary", "["}},
		"a bad --settle":        {exitUsage, "--settle", []string{"watch", w.dir, "oss://media/", "--settle", "-1s"}},
		"a bucket of nobody":    {exitFailed, "NoSuchBucket", []string{"watch", w.dir, "oss://nobody/"}},
		"files moved to itself": {exitUsage, "is the folder that is watched", []string{"watch", w.dir, "oss://media/", "--after", "move=" + w.dir + "/"}},
	} {
		t.Run(name, func(t *testing.T) {
			if r := w.upload(tt.args...).wants(t, tt.code); !strings.Contains(r.stderr, tt.says) {
				t.Errorf("nobody says %q in\n%s", tt.says, r.stderr)
			}
		})
	}
	t.Run("a folder that another process watches", func(t *testing.T) {
		store, err := checkpoint.OpenDir(w.state)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		dir, _ := filepath.EvalSymlinks(w.dir)
		if _, err := store.Open(t.Context(), checkpoint.Key{Source: "watch:" + dir, Endpoint: w.server.URL, Bucket: "media", Object: "in/"}); err != nil {
			t.Fatal(err)
		}
		w.watch().wants(t, exitInUse)
	})
}

func TestWatchEndsByASignal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.file("a.mp4", 500_000)
	hang := osstest.Hang(osstest.OpUploadPart)
	w.server.Inject(hang)
	go func() {
		<-hang.Fired()
		w.signals <- os.Interrupt
	}()
	began := time.Now()
	r := w.upload("watch", w.dir, "oss://media/in/", "--settle", "60ms", "--poll", "20ms", "--part-size", "100K").wants(t, exitInterrupted)
	if !strings.Contains(r.stderr, "resume with: vodupload watch") || time.Since(began) > 20*time.Second {
		t.Errorf("after %v: %s", time.Since(began), r.stderr)
	}
	w.watch().wants(t, exitOK)
	if o, _ := w.server.Object("media", "in/a.mp4"); o.Size != 500_000 {
		t.Errorf("object %v", o)
	}
}

// A kill may fall between the end of an upload and its entry in the list.
func TestWatchSendsNothingThatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.file("a/talk.mp4", 300_000)
	w.file("small.srt", 100)
	w.watch("--part-size", "100K").wants(t, exitOK)
	if err := os.RemoveAll(filepath.Join(w.state, "watch")); err != nil {
		t.Fatal(err)
	}
	w.server.ResetRequests()
	w.watch("--part-size", "100K", "--after", "delete").wants(t, exitOK)
	if n := w.server.Count(osstest.OpPutObject, osstest.OpInitiateMultipartUpload, osstest.OpUploadPart); n != 0 {
		t.Errorf("%d requests send what is there", n)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*.srt")); len(left) != 0 {
		t.Error("the file is there still")
	}
}
