package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/examples/vodupload/internal/manifest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// here runs a command that needs the server and keeps nothing.
func (w *world) here(args ...string) ran {
	w.t.Helper()
	return w.run(append(args, "--endpoint", w.server.URL)...)
}

// verified is a world whose folder is in the bucket.
func verified(t *testing.T) *world {
	w := newWorld(t)
	w.file("a/talk.mp4", 300_000)
	w.file("b.mp4", 100)
	w.file("empty.mp4", 0)
	w.upload("cp", w.dir, "oss://media/in/").wants(t, exitOK)
	return w
}

func (w *world) verify() ran {
	w.t.Helper()
	return w.here("verify", w.dir, "oss://media/in/")
}

func TestVerifyFolder(t *testing.T) {
	t.Parallel()
	w := verified(t)
	w.server.ResetRequests()
	if r := w.verify().wants(t, exitOK); !strings.Contains(r.stderr, "3 same, 0 different, 0 missing") {
		t.Errorf("says\n%s", r.stderr)
	}
	if heads, lists := w.server.Count(osstest.OpHeadObject), w.server.Count(osstest.OpListObjects); heads != 3 || lists != 1 || w.server.Count() != 4 {
		t.Errorf("%d requests, %d of them HEAD, %d lists: want 3, 1 and no others", w.server.Count(), heads, lists)
	}
	t.Run("3 where an object is missing", func(t *testing.T) {
		w := verified(t)
		w.file("new.mp4", 10)
		if r := w.verify().wants(t, exitNotFound); !strings.Contains(r.stderr, "new.mp4 has no object media/in/new.mp4") || !strings.Contains(r.stderr, "3 same, 0 different, 1 missing") {
			t.Errorf("says\n%s", r.stderr)
		}
	})
	t.Run("6 where bytes differ, whatever else is wrong", func(t *testing.T) {
		w := verified(t)
		w.file("new.mp4", 10)
		w.file("empty.mp4", 1)
		path := w.file("b.mp4", 100)
		if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := w.verify().wants(t, exitIntegrity); !strings.Contains(r.stderr, "empty.mp4 has 1 bytes, media/in/empty.mp4 has 0") ||
			!strings.Contains(r.stderr, "b.mp4 has 100 bytes and the CRC64") || !strings.Contains(r.stderr, "1 same, 2 different, 1 missing") {
			t.Errorf("says\n%s", r.stderr)
		}
	})
	t.Run("1 where the server gives no checksum", func(t *testing.T) {
		w := verified(t)
		w.server.Inject(osstest.DropHeader(osstest.OpHeadObject, "x-oss-hash-crc64ecma"))
		if r := w.verify().wants(t, exitFailed); !strings.Contains(r.stderr, "no CRC64") || !strings.Contains(r.stderr, "1 could not be compared") {
			t.Errorf("says\n%s", r.stderr)
		}
	})
	t.Run("0 where objects have no file, which are counted and listed", func(t *testing.T) {
		w := verified(t)
		w.upload("cp", w.dir, "oss://media/inner/").wants(t, exitOK) // another prefix
		for _, name := range []string{"b.mp4", "a/talk.mp4"} {
			if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		r := w.verify().wants(t, exitOK)
		if !strings.Contains(r.stderr, "1 same, 0 different, 0 missing; 2 objects without a file here (--verbose lists them)") || strings.Contains(r.stderr, "talk") {
			t.Errorf("says\n%s", r.stderr)
		}
		w.here("verify", w.dir, "oss://media/in/", "--verbose").wants(t, exitOK).says(t, "no file: media/in/a/talk.mp4, 293 KiB", "no file: media/in/b.mp4, 100 B")
		var extra []string
		events := w.here("verify", w.dir, "oss://media/in/", "--json").wants(t, exitOK).events(t)
		for _, e := range events {
			if e.Type == "extra" {
				extra = append(extra, e.Object)
			}
		}
		if s := last(events).Summary; len(extra) != 2 || extra[0] != "in/a/talk.mp4" || s.Extra != 2 || s.Failed != 0 || s.Files != 1 {
			t.Errorf("events of %q, summary %+v", extra, s)
		}
	})
	t.Run("1 for what cp refuses", func(t *testing.T) {
		w := verified(t)
		if err := os.Symlink("b.mp4", filepath.Join(w.dir, "link.mp4")); err != nil {
			t.Skip(err)
		}
		w.file("x\xff.mp4", 10)
		w.verify().wants(t, exitFailed).says(t, "not a regular file: "+w.dir+"/link.mp4", w.dir+`/x\xff.mp4: object name`, "3 same, 0 different, 0 missing, 2 could not be compared")
	})
	t.Run("0 where the bucket may not be listed", func(t *testing.T) {
		w := verified(t)
		w.server.Inject(osstest.Fail(osstest.OpListObjects, 403, "AccessDenied").Always())
		w.verify().wants(t, exitOK).says(t, "whether there are objects of no file is not known: ", "oss:ListObjects", "3 same")
	})
	t.Run("one file", func(t *testing.T) {
		w := verified(t)
		w.here("verify", filepath.Join(w.dir, "b.mp4"), "oss://media/in/").wants(t, exitOK)
		w.here("verify", filepath.Join(w.dir, "b.mp4"), "oss://media/in/empty.mp4").wants(t, exitIntegrity)
	})
	t.Run("JSON", func(t *testing.T) {
		w := verified(t)
		w.file("new.mp4", 10)
		events := w.here("verify", w.dir, "oss://media/in/", "--json").wants(t, exitNotFound).events(t)
		kinds := map[string]int{}
		for _, e := range events {
			kinds[e.Type]++
		}
		if s := events[len(events)-1].Summary; kinds["same"] != 3 || kinds["failed"] != 1 || s.Files != 4 || s.Failed != 1 || s.ExitCode != exitNotFound {
			t.Errorf("events %v, summary %+v", kinds, s)
		}
	})
}

func TestVerifyManifest(t *testing.T) {
	t.Parallel()
	w := verified(t)
	path := filepath.Join(t.TempDir(), "m.jsonl")
	list, err := manifest.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/talk.mp4", "b.mp4", "empty.mp4"} {
		o, _ := w.server.Object("media", "in/"+name)
		l := manifest.Line{Path: filepath.Join(w.dir, name), Endpoint: w.server.URL, Bucket: "media", Object: o.Key, Size: o.Size, CRC64: o.CRC64}
		if err := list.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	if err := list.Close(); err != nil {
		t.Fatal(err)
	}
	region := w.environ
	for i, entry := range region {
		if strings.HasPrefix(entry, "OSS_REGION") {
			region[i] = "OSS_REGION=" // the manifest knows the endpoint
		}
	}
	w.run("verify", path).wants(t, exitOK)
	if err := os.Remove(filepath.Join(w.dir, "b.mp4")); err != nil {
		t.Fatal(err)
	}
	if r := w.here("verify", path).wants(t, exitOK); !strings.Contains(r.stderr, "no longer here, and compared by the manifest alone: 1 file") {
		t.Errorf("says\n%s", r.stderr)
	}
	w.file("a/talk.mp4", 300_001)
	w.here("verify", path).wants(t, exitIntegrity)
	w.file("a/talk.mp4", 300_000)
	w.file("other", 50)
	w.upload("cp", filepath.Join(w.dir, "other"), "oss://media/in/b.mp4").wants(t, exitOK)
	if r := w.here("verify", path).wants(t, exitIntegrity); !strings.Contains(r.stderr, "the manifest's line of") {
		t.Errorf("says\n%s", r.stderr)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := w.file("bad.jsonl", 10)
	empty := w.file("empty.jsonl", 0)
	for name, tt := range map[string]struct {
		code int
		says string
		args []string
	}{
		"no arguments":            {exitUsage, "wanted a folder", []string{"verify"}},
		"a destination alone":     {exitUsage, "folder before the destination", []string{"verify", "oss://media/"}},
		"a folder alone":          {exitUsage, "wanted a destination", []string{"verify", w.dir}},
		"a manifest that is none": {exitUsage, "bad.jsonl: line 1", []string{"verify", bad}},
		"an empty manifest":       {exitUsage, "no lines", []string{"verify", empty}},
		"a manifest of nobody":    {exitNotFound, "nothere", []string{"verify", filepath.Join(w.dir, "nothere")}},
		"a folder of nobody":      {exitNotFound, "nothere", []string{"verify", filepath.Join(w.dir, "nothere"), "oss://media/"}},
		"a number out of range":   {exitUsage, "from 1 to 1000, or auto", []string{"verify", w.dir, "oss://media/", "--parallel", "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			if r := w.here(tt.args...).wants(t, tt.code); !strings.Contains(r.stderr, tt.says) {
				t.Errorf("nobody says %q in\n%s", tt.says, r.stderr)
			}
		})
	}
}

func TestVerifyLeavesOutWhatCpDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tree()
	list := filepath.Join(w.dir, "done.jsonl")
	w.upload("cp", w.dir, "oss://media/in/", "--manifest", list, "--include", "*.mp4", "--exclude", "tree/raw/old").wants(t, exitOK)
	w.upload("cp", w.file("other.mov", 10), "oss://media/in/").wants(t, exitOK)
	for outcome, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"as it was told":                        {[]string{"--include", "*.mp4", "--exclude", "old"}, exitOK, "2 same, 0 different, 0 missing\n"},
		"its manifest, and nothing else":        {nil, exitNotFound, "3 same, 0 different, 2 missing\n"},
		"what is too young":                     {[]string{"--min-age", "1h"}, exitOK, "0 same, 0 different, 0 missing\n"},
		"and not the manifest of another place": {[]string{"--include", "*.jsonl"}, exitNotFound, "0 same, 0 different, 1 missing\n"},
	} {
		t.Run(outcome, func(t *testing.T) {
			to := "oss://media/in/"
			if strings.Contains(outcome, "another") {
				to = "oss://media/out/"
			}
			r := w.here(append([]string{"verify", w.dir, to}, test.args...)...)
			if r.code != test.code || !strings.Contains(r.stderr, test.says) {
				t.Errorf("exit code %d, want %d and %q\n%s", r.code, test.code, test.says, r.stderr)
			}
		})
	}
	if r := w.here("verify", list, "--include", "*.mp4"); r.code != exitUsage {
		t.Errorf("with a manifest: exit code %d\n%s", r.code, r.stderr)
	}
}

// JSON has no bytes that are not UTF-8, names of files may.
func TestManifestOfAPathThatIsNoUTF8(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := filepath.Join(w.dir, "\xff\xfe")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip(err) // file systems that want UTF-8
	}
	path := filepath.Join(dir, "a.mp4")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(w.dir, "done.jsonl")
	events := w.upload("cp", path, "oss://media/", "--manifest", list, "--json").wants(t, exitOK).events(t)
	if e := events[0]; string(e.PathBytes) != path {
		t.Errorf("got %+v", e)
	}
	if r := w.here("verify", list).wants(t, exitOK); strings.Contains(r.stderr, "no longer here") {
		t.Error(r.stderr)
	}
	if err := os.WriteFile(path, []byte("TEXT"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.here("verify", list).wants(t, exitIntegrity)
}
