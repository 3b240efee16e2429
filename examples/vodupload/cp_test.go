package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/manifest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// objects returns the names of the objects in the bucket.
func (w *world) objects() []string {
	var names []string
	for _, o := range w.server.Objects("media") {
		names = append(names, o.Key)
	}
	slices.Sort(names)
	return names
}

// content returns the bytes of an object.
func (w *world) content(name string) string {
	w.t.Helper()
	o, ok := w.server.Object("media", name)
	if !ok {
		w.t.Fatalf("no object %s: there are %q", name, w.objects())
	}
	r, err := o.Open()
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// has fails the test unless these are the objects, all of them.
func (w *world) has(names ...string) {
	w.t.Helper()
	if got := w.objects(); !slices.Equal(got, names) {
		w.t.Errorf("objects: got %q, want %q", got, names)
	}
}

// tree makes some files of a folder.
func (w *world) tree() string {
	w.t.Helper()
	for _, name := range []string{"tree/a.mp4", "tree/b.mov", "tree/raw/c.mp4", "tree/raw/old/d.mp4"} {
		w.file(name, 1000)
	}
	return filepath.Join(w.dir, "tree")
}

// chdir makes the folder of the sources the working directory.
func (w *world) chdir() { w.t.Chdir(w.dir) }

func TestCpNames(t *testing.T) {
	for _, test := range []struct {
		outcome string
		args    []string
		want    []string
	}{
		{"a file below a prefix", []string{"tree/a.mp4", "oss://media/in/"}, []string{"in/a.mp4"}},
		{"a file at a name", []string{"tree/a.mp4", "oss://media/in/b"}, []string{"in/b"}},
		{"a file in the bucket", []string{"tree/a.mp4", "oss://media"}, []string{"a.mp4"}},
		{"files below a prefix", []string{"tree/a.mp4", "tree/b.mov", "oss://media/in/"}, []string{"in/a.mp4", "in/b.mov"}},
		{"a folder", []string{"tree", "oss://media/in/"}, []string{"in/a.mp4", "in/b.mov", "in/raw/c.mp4", "in/raw/old/d.mp4"}},
		{"a folder and no slash", []string{"tree", "oss://media/in"}, []string{"in/a.mp4", "in/b.mov", "in/raw/c.mp4", "in/raw/old/d.mp4"}},
		{"a folder, included", []string{"tree", "oss://media/", "--include", "*.mp4", "--exclude", "old"}, []string{"a.mp4", "raw/c.mp4"}},
		{"a folder's own files", []string{"tree", "oss://media/", "--max-depth", "1"}, []string{"a.mp4", "b.mov"}},
		{"a folder's files and those of its folders", []string{"tree", "oss://media/", "--max-depth", "2"}, []string{"a.mp4", "b.mov", "raw/c.mp4"}},
		{"a folder without one below it", []string{"tree", "oss://media/", "--exclude", "raw/old"}, []string{"a.mp4", "b.mov", "raw/c.mp4"}},
		{"a folder's old files", []string{"tree", "oss://media/", "--min-age", "10m"}, nil},
		{"a list", []string{"--files-from", "list", "oss://media/in/"}, []string{"in/tree/a.mp4", "in/tree/raw/c.mp4"}},
		{"a list of a folder", []string{"--files-from", "list", "tree/..", "oss://media/in/"}, []string{"in/tree/a.mp4", "in/tree/raw/c.mp4"}},
		{"a list by zero bytes", []string{"--files-from0", "list0", "oss://media/"}, []string{"tree/a.mp4", "tree/b.mov"}},
		{"a list of standard input", []string{"--files-from", "-", "tree", "oss://media/"}, []string{"raw/c.mp4"}},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			w := newWorld(t)
			w.tree()
			w.chdir()
			w.stdin = "raw/c.mp4"
			for name, text := range map[string]string{
				"list": "tree/a.mp4\r\n\ntree/raw/c.mp4\n", "list0": "tree/a.mp4\x00tree/b.mov\x00",
			} {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w.upload(append([]string{"cp"}, test.args...)...).wants(t, exitOK)
			w.has(test.want...)
		})
	}
}

func TestCpStandardInput(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"of unknown size":           nil,
		"of a size":                 {"--size", "350K"},
		"in parts, of unknown size": {"--part-size", "100K"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stdin = strings.Repeat("stream ", 350<<10/7+1)[:350<<10]
			w.upload(append([]string{"cp", "-", "oss://media/live.ts"}, args...)...).wants(t, exitOK)
			if w.content("live.ts") != w.stdin {
				t.Error("the object has other bytes")
			}
		})
	}
	t.Run("of nothing is no object", func(t *testing.T) {
		for _, args := range [][]string{nil, {"--size", "350K"}, {"--part-size", "100K"}} {
			w := newWorld(t)
			w.upload(append([]string{"cp", "-", "oss://media/live.ts"}, args...)...).wants(t, exitFailed).says(t, "standard input is empty")
			w.has()
		}
	})
	t.Run("of another size is no object", func(t *testing.T) {
		w := newWorld(t)
		w.stdin = "short"
		w.upload("cp", "-", "oss://media/live.ts", "--size", "350K").wants(t, exitFailed)
		w.has()
	})
}

func TestCpProperties(t *testing.T) {
	w := newWorld(t)
	w.upload("cp", w.file("a.bin", 100), "oss://media/", "--storage-class", "ia", "--acl", "public-read",
		"--meta", "Camera=7", "--tag", "show=news", "--content-type", "video/x-own", "--sse", "KMS:a-key").wants(t, exitOK)
	o, _ := w.server.Object("media", "a.bin")
	got := fmt.Sprint(o.StorageClass, " ", o.ACL, " ", o.ContentType, " ", o.Header.Get("X-Oss-Meta-Camera"), " ",
		o.Header.Get("X-Oss-Tagging"), " ", o.Header.Get("X-Oss-Server-Side-Encryption-Key-Id"))
	if want := "IA public-read video/x-own 7 show=news a-key"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for _, test := range []struct {
		compare      string
		same, longer bool      // the source's bytes, and their number
		written      time.Time // the source
		sent         bool
	}{
		{"never", true, false, past, true},
		{"exists", false, true, future, false},
		{"size", false, false, future, false},
		{"size", false, true, past, true},
		{"mtime", false, false, past, false},
		{"mtime", true, false, future, true},
		{"mtime", false, true, past, true},
		{"crc64", true, false, future, false},
		{"crc64", false, false, past, true},
	} {
		t.Run(fmt.Sprintf("%s, same %v, longer %v, sent %v", test.compare, test.same, test.longer, test.sent), func(t *testing.T) {
			w := newWorld(t)
			path := w.file("a.mp4", 1000)
			w.upload("cp", path, "oss://media/").wants(t, exitOK)
			text, n := "a.mp4", 1000
			if !test.same {
				text = "other"
			}
			if test.longer {
				n++
			}
			if err := os.WriteFile(path, []byte(strings.Repeat(text, 400)[:n]), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, test.written, test.written); err != nil {
				t.Fatal(err)
			}
			w.server.ResetRequests()
			r := w.upload("cp", path, "oss://media/", "--compare", test.compare, "--json").wants(t, exitOK)
			sum := last(r.events(t)).Summary
			if sent := sum.Uploaded == 1; sent != test.sent || sum.Uploaded+sum.Skipped != 1 || w.server.Count(osstest.OpPutObject) != sum.Uploaded {
				t.Errorf("got %+v", sum)
			}
		})
	}
}

func last[T any](s []T) T { return s[len(s)-1] }

func TestDryRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.tree()
	w.upload("cp", filepath.Join(dir, "a.mp4"), "oss://media/in/").wants(t, exitOK)
	w.server.ResetRequests()
	r := w.upload("sync", dir, "oss://media/in/", "--dry-run", "--json").wants(t, exitOK)
	sum := last(r.events(t)).Summary
	if sum.Planned != 3 || sum.Skipped != 1 || sum.Uploaded != 0 || sum.Failed != 0 {
		t.Errorf("got %+v", sum)
	}
	if !strings.Contains(r.stderr, "would upload: "+filepath.Join(dir, "b.mov")+" -> oss://media/in/b.mov") {
		t.Errorf("people see %s", r.stderr)
	}
	w.has("in/a.mp4")
	for _, q := range w.server.Requests() {
		if q.Method != "GET" && q.Method != "HEAD" {
			t.Errorf("request %v", q)
		}
	}
	w.stdin = "data"
	w.upload("cp", "-", "oss://media/live.ts", "-n").wants(t, exitOK)
	w.has("in/a.mp4")
}

func TestSyncOfWhatIsThereSendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.tree()
	w.upload("sync", dir, "oss://media/in/").wants(t, exitOK)
	w.server.ResetRequests()
	r := w.upload("sync", dir, "oss://media/in/", "--json").wants(t, exitOK)
	if sum := last(r.events(t)).Summary; sum.Skipped != 4 || sum.Uploaded != 0 || sum.Sent != 0 {
		t.Errorf("got %+v", sum)
	}
	if n := w.server.Count(); n > 2 || n != w.server.Count(osstest.OpListObjects) {
		t.Errorf("want a list of the bucket or two, got %v", w.server.Requests())
	}
}

// Two sources of one object would overwrite each other.
func TestCpTwoSourcesOfOneObject(t *testing.T) {
	w := newWorld(t)
	a, b := w.file("one/a.mp4", 10), w.file("two/a.mp4", 20)
	for name, sources := range map[string][]string{"files": {a, b}, "folders": {filepath.Dir(a), filepath.Dir(b)}} {
		t.Run(name, func(t *testing.T) {
			r := w.upload(append(append([]string{"cp"}, sources...), "oss://media/")...).wants(t, exitFailed)
			if w.content("a.mp4") != "one/a.mp4o" || !strings.Contains(r.stderr, "would both become oss://media/a.mp4") {
				t.Errorf("stderr: %s", r.stderr)
			}
		})
	}
}

// One file, however its path is written, is no two sources.
func TestCpOneSourceTwice(t *testing.T) {
	w := newWorld(t)
	file := w.file("one/a.mp4", 10)
	w.stdin = "a.mp4\n./a.mp4\n../one/a.mp4\n" + file
	w.upload("cp", file, filepath.Dir(file)+"/../one/a.mp4", "oss://media/").wants(t, exitOK)
	w.upload("cp", "--files-from", "-", filepath.Dir(file), "oss://media/list/").wants(t, exitOK)
	w.has("a.mp4", "list/a.mp4")
}

func TestFilesThatFailDoNotStopOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := w.tree()
	w.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("b.mov").Always())
	r := w.upload("cp", dir, filepath.Join(w.dir, "missing"), "oss://media/", "--json").wants(t, exitFailed)
	w.has("a.mp4", "raw/c.mp4", "raw/old/d.mp4")
	sum := last(r.events(t)).Summary
	if sum.Failed != 2 || sum.Uploaded != 3 || sum.Files != 5 || sum.ExitCode != exitFailed {
		t.Errorf("got %+v", sum)
	}
	t.Run("with --fail-fast they do", func(t *testing.T) {
		w.server.Inject(
			osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("z/b.mov"),
			osstest.Hang(osstest.OpPutObject).Key("z/raw/c.mp4"), osstest.Hang(osstest.OpPutObject).Key("z/raw/old/d.mp4"),
		)
		r := w.upload("cp", dir, "oss://media/z/", "--fail-fast", "--json").wants(t, exitFailed)
		if sum := last(r.events(t)).Summary; sum.Failed != 1 || sum.Left < 2 || !strings.Contains(r.stderr, "--fail-fast is set: resume with:") {
			t.Errorf("%+v\n%s", sum, r.stderr)
		}
	})
}

func TestManifest(t *testing.T) {
	w := newWorld(t)
	dir := w.tree()
	w.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("b.mov").Always())
	list := filepath.Join(w.dir, "done.jsonl")
	w.upload("cp", dir, "oss://media/", "--manifest", list).wants(t, exitDenied)
	f, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := manifest.Read(f)
	if err != nil || len(lines) != 3 {
		t.Fatalf("got %v, %v", lines, err)
	}
	for _, line := range lines {
		o, _ := w.server.Object("media", line.Object)
		if line.CRC64 != o.CRC64 || line.Size != 1000 || line.Path != filepath.Join(dir, filepath.FromSlash(line.Object)) || line.ETag != o.ETag {
			t.Errorf("got %+v of %+v", line, o)
		}
	}
	w.upload("cp", dir, "oss://media/", "--manifest", filepath.Join(w.dir, "no/folder")).wants(t, exitUsage)
	t.Run("is no film that is there", func(t *testing.T) {
		film := w.file("film.mp4", 1000)
		before, _ := os.ReadFile(film)
		r := w.upload("cp", film, "oss://media/", "--manifest", film).wants(t, exitUsage)
		if now, _ := os.ReadFile(film); !bytes.Equal(now, before) || !strings.Contains(r.stderr, "not a list of uploads") {
			t.Errorf("%d bytes are left: %s", len(now), r.stderr)
		}
	})
}

// What is wrong for all files is said once.
func TestCpSaysOnceWhatIsWrongForAll(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code int
		args []string
		env  string
		says string
	}{
		"a bucket's name": {exitUsage, []string{"oss://No_Body/"}, "", `destination: bucket name "No_Body"`},
		"metadata":        {exitUsage, []string{"oss://media/", "--meta", "title=Müsli"}, "", "--meta: value of title"},
		"too many tags":   {exitUsage, []string{"oss://media/", "--tag", "a=1", "--tag", "b=2", "--tag", "c=3", "--tag", "d=4", "--tag", "e=5", "--tag", "f=6", "--tag", "g=7", "--tag", "h=8", "--tag", "i=9", "--tag", "j=10", "--tag", "k=11"}, "", "--tag"},
		"no bucket":       {exitFailed, []string{"oss://nobody/"}, "", "NoSuchBucket"},
		"a secret":        {exitDenied, []string{"oss://media/"}, "OSS_ACCESS_KEY_SECRET=wrong", "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for i := range 60 {
				w.file(fmt.Sprintf("tree/%d.mp4", i), 100)
			}
			w.environ = append(w.environ, test.env)
			r := w.upload(append([]string{"cp", w.dir + "/tree", "--parallel", "2"}, test.args...)...).wants(t, test.code)
			if n := strings.Count(r.stderr, "\n"); n > 20 || !strings.Contains(r.stderr, test.says) {
				t.Errorf("%d lines, want %q:\n%s", n, test.says, r.stderr)
			}
		})
	}
}

func TestCpURL(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("film ", 60_000)
	changed := time.Now().Add(-time.Hour)
	site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/films/a b.mp4":
			if r.URL.Query().Get("signature") == "" {
				http.Error(rw, "no", http.StatusForbidden)
				return
			}
			rw.Header().Set("ETag", `"one"`)
			http.ServeContent(rw, r, "", changed, strings.NewReader(text))
		case "/page.mp4", "/page.html":
			rw.Header().Set("ETag", `"page"`)
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			http.ServeContent(rw, r, "", changed, strings.NewReader(text))
		case "/login.mp4":
			http.Redirect(rw, r, "/login", http.StatusFound)
		case "/login":
			_, _ = io.WriteString(rw, "<html>Who are you?</html>")
		case "/around.mp4":
			http.Redirect(rw, r, "/around.mp4", http.StatusFound)
		case "/broken.mp4":
			rw.WriteHeader(http.StatusBadGateway)
		case "/stream.ts":
			rw.WriteHeader(http.StatusOK)
			_, _ = io.WriteString(rw, text)
		default:
			http.NotFound(rw, r)
		}
	}))
	defer site.Close()
	for _, test := range []struct {
		outcome string
		code    int
		args    []string
		says    string
	}{
		{"is copied", exitOK, []string{site.URL + "/films/a%20b.mp4?signature=hidden", "oss://media/in/"}, "1 file uploaded"},
		{"is copied to a name", exitOK, []string{site.URL + "/films/a%20b.mp4?signature=hidden", "oss://media/in/a b.mp4"}, "1 file uploaded"},
		{"is nowhere", exitNotFound, []string{site.URL + "/gone.mp4?signature=hidden", "oss://media/in/"}, "404"},
		{"is not allowed", exitDenied, []string{site.URL + "/films/a%20b.mp4", "oss://media/in/"}, "403"},
		{"has no ranges", exitFailed, []string{site.URL + "/stream.ts?signature=hidden", "oss://media/in/"}, "vodupload cp - oss://media/in/stream.ts"},
		{"is a page", exitFailed, []string{site.URL + "/page.mp4?signature=hidden", "oss://media/in/"}, "a web page (text/html; charset=utf-8), perhaps to log in"},
		{"leads to a page", exitFailed, []string{site.URL + "/login.mp4?signature=hidden", "oss://media/in/"}, "perhaps to log in"},
		{"leads to itself", exitFailed, []string{site.URL + "/around.mp4?signature=hidden", "oss://media/in/"}, "redirects more than 10 times\n"},
		{"is on a server in need", exitTemporary, []string{site.URL + "/broken.mp4?signature=hidden", "oss://media/in/"}, "502 Bad Gateway"},
		{"is on a server of nobody", exitTemporary, []string{"http://" + deadAddress + "/a.mp4?signature=hidden", "oss://media/in/"}, "connection refused"},
		{"has no host", exitUsage, []string{"http:///a.mp4?signature=hidden", "oss://media/in/"}, "wanted a URL like https://example.com/film.mp4"},
		{"has another scheme", exitUsage, []string{"ftp://example.com/a.mp4?signature=hidden", "oss://media/in/"}, "wanted a file, a folder, - or a URL of http or https"},
		{"is in a bucket", exitUsage, []string{"oss://media/a.mp4", "oss://media/in/"}, "wanted a file, a folder, - or a URL of http or https"},
		{"has no name", exitUsage, []string{site.URL + "/?signature=hidden", "oss://media/in/"}, "has no file name"},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			w := newWorld(t)
			r := w.upload(append([]string{"cp", "--part-size", "100K", "--json"}, test.args...)...).wants(t, test.code)
			if !strings.Contains(r.stderr, test.says) || strings.Contains(r.stderr+r.stdout, "hidden") {
				t.Errorf("want %q:\n%s", test.says, r.stderr)
			}
			if r.events(t); test.code == exitOK && w.content("in/a b.mp4") != text {
				t.Error("the object has other bytes")
			}
		})
	}
	t.Run("is a page, as wanted", func(t *testing.T) {
		w := newWorld(t)
		w.upload("cp", site.URL+"/page.html", "oss://media/in/").wants(t, exitOK)
		w.upload("cp", "--content-type", "video/mp4", strings.Replace(site.URL, "http:", "HTTP:", 1)+"/page.mp4", "oss://media/in/").wants(t, exitOK)
		w.has("in/page.html", "in/page.mp4")
	})
	t.Run("is there already", func(t *testing.T) {
		w := newWorld(t)
		for _, skipped := range []int{0, 1} {
			r := w.upload("sync", site.URL+"/films/a%20b.mp4?signature=hidden", "oss://media/in/", "--json").wants(t, exitOK)
			if sum := last(r.events(t)).Summary; sum.Skipped != skipped {
				t.Errorf("got %+v", sum)
			}
		}
	})
}
