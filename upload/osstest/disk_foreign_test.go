package osstest

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// tree returns what is below a directory: a line for each entry with all that
// could have been changed.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		line := fmt.Sprint(path, " ", info.Mode())
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %q", data)
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// missingFrom returns what is in before and not in after.
func missingFrom(after, before []string) []string {
	return slices.DeleteFunc(slices.Clone(before), func(line string) bool { return slices.Contains(after, line) })
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err) // Windows wants a privilege for it
	}
}

func TestDirectoryOfOthersIsLeftAsItIs(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a file", map[string]string{"notes.txt": "mine"}, "notes.txt"},
		{"files where a server has them", map[string]string{
			"incoming/letter": "mine", "buckets/bucket-list/wishes": "mine", "blobs/a": "mine", "lock": "mine"}, "format.json"},
		{"a format.json that is something else", map[string]string{"format.json": `{"tabs": true}`, "notes.txt": "mine"}, "format.json"},
		{"a format.json that is no JSON", map[string]string{"format.json": "tabs", "incoming/letter": "mine"}, "format.json"},
		{"an empty format.json", map[string]string{"format.json": "", "incoming/letter": "mine"}, "format.json"},
		{"a format.json with more than the format", map[string]string{"format.json": `{"Format":1,"Tabs":true}`, "incoming/a": "mine"}, "format.json"},
		{"a format.json of a large size", map[string]string{"format.json": storage.FormatText + strings.Repeat(" ", 5000)}, "format.json"},
		{"a later format", map[string]string{"format.json": `{"Format":2}`, "incoming/body-1": "mine"}, "format 2; this server knows format 1"},
		{"an impossible format", map[string]string{"format.json": `{"Format":0}`, "incoming/body-1": "mine"}, "format.json"},
		{"format.json as a directory", map[string]string{"format.json/x": "mine"}, "format.json"},
		{"incoming as a file", map[string]string{"format.json": storage.FormatText, "incoming": "mine"}, "incoming"},
		{"lock as a directory", map[string]string{"format.json": storage.FormatText, "lock/x": "mine"}, "lock"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, data := range test.files {
				write(t, filepath.Join(dir, filepath.FromSlash(name)), data)
			}
			wantLeft(t, dir, dir, test.want)
		})
	}
	t.Run("a link instead of format.json", func(t *testing.T) {
		dir, other := t.TempDir(), t.TempDir()
		write(t, filepath.Join(other, "f"), storage.FormatText)
		symlink(t, filepath.Join(other, "f"), filepath.Join(dir, "format.json"))
		wantLeft(t, dir, other, "format.json")
	})
	for _, name := range []string{"incoming", "blobs", "buckets", "buckets/bucket-media", "buckets/bucket-media/uploads"} {
		t.Run("a link instead of "+name, func(t *testing.T) {
			dir, other := t.TempDir(), t.TempDir()
			_, c := newTestServer(t, &Options{Dir: dir})
			c.initiate("/media/k")
			c.s.Close()
			write(t, filepath.Join(other, "body-1"), "mine")
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			symlink(t, other, path)
			wantLeft(t, dir, other, path)
		})
	}
	t.Run("a link to it", func(t *testing.T) {
		other, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
		write(t, filepath.Join(other, "incoming", "body-1"), "mine")
		symlink(t, other, link)
		wantLeft(t, link, other, "incoming")
	})
	t.Run("a link to nothing", func(t *testing.T) {
		dir := t.TempDir()
		symlink(t, filepath.Join(dir, "gone"), filepath.Join(dir, "link"))
		wantLeft(t, filepath.Join(dir, "link"), dir, "link")
	})
	t.Run("a file for a directory", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "f"), "mine")
		wantLeft(t, filepath.Join(dir, "f"), dir, "f")
	})
}

// wantLeft expects that no server starts on dir, with an error about something,
// and that nothing in dir and in other has changed.
func wantLeft(t *testing.T, dir, other, about string) {
	t.Helper()
	before := append(tree(t, dir), tree(t, other)...)
	s, err := New(&Options{Dir: dir, Buckets: []string{"media"}})
	if err == nil {
		s.Close()
		t.Fatal("the directory was opened")
	}
	if !strings.Contains(err.Error(), about) || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got the error %q; want one about %q in %s", err, about, dir)
	}
	if after := append(tree(t, dir), tree(t, other)...); !slices.Equal(after, before) {
		t.Errorf("the directory has changed\nfrom %q\nto   %q", before, after)
	}
}

func TestEmptyOrMissingDirectoryIsTaken(t *testing.T) {
	empty, half, linked := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "link")
	write(t, filepath.Join(half, storage.NewFormat+"123"), `{"For`) // killed when it began
	dirs := []string{empty, filepath.Join(empty, "a", "b"), half}
	if err := os.Symlink(t.TempDir(), linked); err == nil {
		dirs = append(dirs, linked)
	}
	for _, dir := range slices.Backward(dirs) {
		s, c := newTestServer(t, &Options{Dir: dir})
		c.good("PUT", "/media/k", "abc")
		s, _ = reopen(t, s)
		if got := stored(t, s, "media", "k"); got != "abc" {
			t.Errorf("%s: stored %q; want abc", dir, got)
		}
		os.RemoveAll(filepath.Join(empty, "a")) // which made empty be in use
	}
}

func TestFilesOfOthersStay(t *testing.T) {
	elsewhere := []string{"notes.txt", "blobs/a", "blobs/ab/letter", "blobs/AB/ABCD", "blobs/AB/x/y", "blobs/" + strings.Repeat("AB", 16),
		"incoming/letter", "incoming/body-x", "incoming/body-1.jpg", "buckets/bucket-media/letter"}
	amongBuckets := []string{"buckets/letter", "buckets/bucket-", "buckets/bucket-X/letter", "buckets/bucket-list/wishes",
		"buckets/bucket-list/objects/letter", "buckets/bucket-media/objects/letter.json", "buckets/bucket-media/objects/x/y",
		"buckets/bucket-media/uploads/.json", "buckets/bucket-media/uploads/letter.parts", "buckets/bucket-media/uploads/letter.json",
		"blobs/AB/" + strings.Repeat("AB", 16)} // whose it is nobody knows while there are files like these
	t.Run("where no state is", func(t *testing.T) { wantForeignKept(t, elsewhere) })
	t.Run("among the buckets", func(t *testing.T) { wantForeignKept(t, amongBuckets) })
}

func wantForeignKept(t *testing.T, names []string) {
	dir := t.TempDir()
	s, c := newTestServer(t, &Options{Dir: dir})
	c.good("PUT", "/media/k", "abc")
	for _, name := range names {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), "mine")
	}
	s, c = reopen(t, s)
	if got := stored(t, s, "media", "k"); got != "abc" {
		t.Errorf("stored %q; want abc", got)
	}
	if got := len(s.Uploads("media")); got != 0 {
		t.Errorf("got %d uploads; want none", got)
	}
	c.good("DELETE", "/media/k", "")
	c.good("DELETE", "/media", "")
	s, _ = reopen(t, s)
	s.Close()
	for _, name := range names {
		if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); string(data) != "mine" {
			t.Errorf("%s: got %q, %v; want what it had", name, data, err)
		}
	}
}

// savedServer returns the files of a server's directory with some of everything.
func savedServer(t testing.TB) map[string]string {
	t.Helper()
	dir := t.TempDir()
	s, err := New(&Options{Dir: dir, Buckets: []string{"media"}, CORS: []CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := &testClient{t: t, s: s, url: "http://localhost", key: DefaultKey, now: time.Now}
	do := func(method, path, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, c.request(method, path, strings.NewReader(body)))
		if w.Code/100 != 2 {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w
	}
	do("PUT", "/media/null", "abc")
	do("PUT", "/media?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	do("PUT", "/media/k", "abc")
	do("DELETE", "/media/k", "")
	w := do("POST", "/media/u?uploads", "")
	id := between(w.Body.Bytes(), "<UploadId>", "</UploadId>")
	do("PUT", "/media/u?partNumber=1&uploadId="+id, "abc")
	do("PUT", "/media/u?partNumber=2&uploadId="+id, "def")
	saved := map[string]string{}
	for _, path := range files(t, dir) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(dir, path)
		saved[name] = string(data)
	}
	return saved
}

// FuzzDirectory starts a server on a directory of which one file has other
// bytes, or another name. It must not panic, and not lose anything but what it
// is asked to delete, and each request must have an answer.
func FuzzDirectory(f *testing.F) {
	saved := savedServer(f)
	names := slices.Sorted(maps.Keys(saved))
	for i, name := range names {
		f.Add(uint8(i), "", []byte(saved[name]))
		f.Add(uint8(i), "x", []byte("null"))
		f.Add(uint8(i), "", []byte(strings.ReplaceAll(saved[name], "null", "x")))
		f.Add(uint8(i), "", bytes.Repeat([]byte(saved[name]), 2))
	}
	f.Fuzz(func(t *testing.T, which uint8, suffix string, data []byte) {
		if strings.ContainsAny(suffix, "/\\\x00") || len(suffix) > 100 || !fs.ValidPath("x"+suffix) || runtime.GOOS == "windows" && suffix != "" {
			t.Skip()
		}
		dir := t.TempDir()
		changed := filepath.Join(dir, names[int(which)%len(names)]) + suffix
		for name, text := range saved {
			write(t, filepath.Join(dir, name), text)
		}
		if suffix != "" {
			os.Remove(strings.TrimSuffix(changed, suffix))
		}
		write(t, changed, string(data))
		before := tree(t, dir)
		s, err := New(&Options{Dir: dir, Buckets: []string{"media"}})
		if err != nil {
			if missing := missingFrom(tree(t, dir), before); len(missing) > 0 {
				t.Errorf("refused with %v, but changed %q", err, missing)
			}
			return
		}
		defer s.Close()
		for _, line := range missingFrom(tree(t, dir), before) {
			// Half a line of a part, and a body or a list of parts that nothing
			// names any more.
			if !strings.Contains(line, ".parts ") && !strings.Contains(line, string(filepath.Separator)+"blobs"+string(filepath.Separator)) {
				t.Errorf("started, but changed %s", line)
			}
		}
		useAll(t, s)
	})
}

// useAll reads and then deletes all that a server has.
func useAll(t *testing.T, s *Server) {
	c := &testClient{t: t, s: s, url: "http://localhost", key: DefaultKey, now: time.Now}
	do := func(method, path, body string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, c.request(method, path, strings.NewReader(body)))
		if w.Code/100 == 5 {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/", "/media", "/media?versions", "/media?uploads", "/media?acl", "/media?cors", "/media?bucketInfo",
		"/media/k", "/media/null", "/media/u", "/media/null?acl"} {
		do("GET", path, "")
	}
	for _, u := range s.Uploads("media") {
		path := "/media/" + url.PathEscape(u.Key) + "?uploadId=" + u.UploadID
		do("GET", path, "")
		do("PUT", path+"&partNumber=3", "ghi")
		for _, p := range u.Parts {
			do("POST", path, fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>", p.Number, p.ETag))
		}
		do("DELETE", path, "")
	}
	for _, o := range s.Objects("media") {
		do("GET", "/media/"+url.PathEscape(o.Key), "")
		do("DELETE", "/media/"+url.PathEscape(o.Key)+"?versionId=null", "")
		do("DELETE", "/media/"+url.PathEscape(o.Key), "")
	}
	do("DELETE", "/media", "")
}
