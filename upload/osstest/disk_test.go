package osstest

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// reopen closes a server and opens its directory again.
func reopen(t *testing.T, s *Server) (*Server, *testClient) {
	t.Helper()
	s.Close()
	s = NewServer(s.opts)
	t.Cleanup(s.Close)
	return s, newTestClient(t, s)
}

// nastyKeys are hard to keep in a file system.
var nastyKeys = []string{
	"a", "A", "..", "a/../b", "a//b/", "con", "nul.txt", "x:y*?<>|\"", "line\nbreak\x01", " ", "trailing. ", "日本語", strings.Repeat("k", 1023),
}

func TestDirectoryKeepsObjects(t *testing.T) {
	s, c := newTestServer(t, &Options{Dir: t.TempDir()})
	for i, key := range nastyKeys {
		c.good("PUT", "/media/"+url.PathEscape(key), fmt.Sprint(i), "Content-Type", "text/x", "x-oss-meta-n", "\xe9\xff é",
			"x-oss-object-acl", "public-read", "x-oss-storage-class", "IA", "x-oss-tagging", "a=b")
	}
	big := letters(minPartSize)
	id := c.initiate("/media/parts", "Cache-Control", "no-cache")
	c.complete("/media/parts", id, 1, c.part("/media/parts", id, 1, big), 2, c.part("/media/parts", id, 2, "end"))
	c.good("PUT", "/media?acl", "", "x-oss-acl", "public-read")
	c.good("PUT", "/empty-one", "<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>")

	before := s.Objects("media")
	s, c = reopen(t, s)
	after := s.Objects("media")
	if len(after) != len(before) {
		t.Fatalf("got %d objects; want %d", len(after), len(before))
	}
	for i := range before {
		before[i].content, after[i].content = nil, nil
		if !before[i].LastModified.Equal(after[i].LastModified) {
			t.Errorf("object %q was modified at %v; want %v", after[i].Key, after[i].LastModified, before[i].LastModified)
		}
		before[i].LastModified = after[i].LastModified
		if !reflect.DeepEqual(before[i], after[i]) {
			t.Errorf("got object  %+v\nwant object %+v", after[i], before[i])
		}
	}
	for i, key := range nastyKeys {
		if got := c.good("GET", "/media/"+url.PathEscape(key), "").body; got != fmt.Sprint(i) {
			t.Errorf("object %q: got %q; want %d", key, got, i)
		}
	}
	if stored(t, s, "media", "parts") != big+"end" {
		t.Error("an object of two parts has other bytes than before")
	}
	var info bucketInfoResult
	c.read(c.good("GET", "/empty-one?bucketInfo", ""), &info)
	if info.Bucket.StorageClass != "IA" {
		t.Errorf("a bucket has storage class %q; want IA", info.Bucket.StorageClass)
	}
	for _, o := range after {
		c.good("DELETE", "/media/"+url.PathEscape(o.Key), "")
	}
	c.good("DELETE", "/media", "")
	s, _ = reopen(t, s)
	if got := s.Buckets(); len(got) != 2 { // media is in the options
		t.Errorf("got buckets %q; want media and empty-one", got)
	}
	if objects := s.Objects("media"); len(objects) != 0 {
		t.Errorf("deleted objects came back: %v", objects)
	}
	wantBlobs(t, s.opts.Dir, 0)
}

func TestUploadGoesOnAfterARestart(t *testing.T) {
	s, c := newTestServer(t, &Options{Dir: t.TempDir()})
	id := c.initiate("/media/k", "Content-Type", "video/mp4", "x-oss-object-acl", "private")
	big := letters(minPartSize)
	c.part("/media/k", id, 1, "replaced")
	e1 := c.part("/media/k", id, 1, big)
	before := s.Uploads("media")
	s, c = reopen(t, s)
	after := s.Uploads("media")
	if len(after) != 1 || len(after[0].Parts) != 1 || after[0].UploadID != id || !after[0].Initiated.Equal(before[0].Initiated) ||
		after[0].Parts[0].ETag != unquoted(e1) || after[0].Parts[0].CRC64 != before[0].Parts[0].CRC64 {
		t.Fatalf("got uploads %+v\nwant %+v", after, before)
	}
	e2 := c.part("/media/k", id, 2, "end")
	s, c = reopen(t, s)
	c.complete("/media/k", id, 1, e1, 2, e2)
	s, c = reopen(t, s)
	if stored(t, s, "media", "k") != big+"end" {
		t.Error("the object has other bytes than its parts")
	}
	o, _ := s.Object("media", "k")
	if o.ContentType != "video/mp4" || o.ACL != "private" {
		t.Errorf("got object %+v", o)
	}
	c.refused(404, "NoSuchUpload", "DELETE", "/media/k?uploadId="+id, "")
	wantBlobs(t, s.opts.Dir, 2)
}

func TestCompleteDoesNotCopy(t *testing.T) {
	dir := t.TempDir()
	_, c := newTestServer(t, &Options{Dir: dir})
	id := c.initiate("/media/k")
	e1, e2 := c.part("/media/k", id, 1, letters(minPartSize)), c.part("/media/k", id, 2, "end")
	infos := map[string]os.FileInfo{}
	for _, path := range files(t, filepath.Join(dir, "blobs")) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		infos[path] = info
	}
	c.complete("/media/k", id, 1, e1, 2, e2)
	for _, path := range files(t, filepath.Join(dir, "blobs")) {
		info, err := os.Stat(path)
		if err != nil || !os.SameFile(info, infos[path]) {
			t.Errorf("file %s is not one of the parts: %v", path, err)
		}
		delete(infos, path)
	}
	if len(infos) != 0 {
		t.Errorf("%d parts are gone", len(infos))
	}
}

func TestStartClearsWhatAKilledServerLeft(t *testing.T) {
	dir := t.TempDir()
	s, c := newTestServer(t, &Options{Dir: dir})
	id := c.initiate("/media/k")
	c.part("/media/k", id, 1, "whole")
	done := c.initiate("/media/done")
	etag := c.part("/media/done", done, 1, "abc")
	uploads := filepath.Join(dir, "buckets", "bucket-media", "uploads")
	completed := readFiles(t, uploads, done)
	c.complete("/media/done", done, 1, etag)
	s.Close()

	for name, data := range completed { // killed between storing the object and this
		write(t, filepath.Join(uploads, name), data)
	}
	parts := filepath.Join(uploads, id+".parts")
	whole := readFiles(t, uploads, id)[id+".parts"]
	write(t, parts, whole+`{"Number":2,"Si`)
	write(t, filepath.Join(uploads, strings.Repeat("0", 32)+".parts"), whole)
	write(t, filepath.Join(dir, "incoming", "body-1"), "half")
	write(t, filepath.Join(dir, "blobs", "AB", strings.Repeat("AB", 16)), "nobody's")
	if err := os.MkdirAll(filepath.Join(dir, "buckets", "bucket-gone", "objects"), 0o700); err != nil {
		t.Fatal(err)
	}

	s, c = reopen(t, s)
	if got := s.Uploads("media"); len(got) != 1 || got[0].UploadID != id || len(got[0].Parts) != 1 {
		t.Errorf("got uploads %+v; want one with one part", got)
	}
	if got := s.Buckets(); len(got) != 1 {
		t.Errorf("got buckets %q; want one", got)
	}
	if got := stored(t, s, "media", "done"); got != "abc" {
		t.Errorf("stored %q; want abc", got)
	}
	for _, path := range []string{filepath.Join(uploads, done+".json"), filepath.Join(uploads, done+".parts"), filepath.Join(uploads, strings.Repeat("0", 32)+".parts")} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there", path)
		}
	}
	wantBlobs(t, dir, 2)
	c.part("/media/k", id, 3, "after the torn line")
	s, _ = reopen(t, s)
	if got := s.Uploads("media")[0].Parts; len(got) != 2 || got[1].Number != 3 {
		t.Errorf("got parts %+v; want 1 and 3", got)
	}
}

// readFiles returns the files in a directory whose names begin with a prefix.
func readFiles(t *testing.T, dir, prefix string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, path := range files(t, dir) {
		if name := filepath.Base(path); strings.HasPrefix(name, prefix) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(data)
		}
	}
	return found
}

func write(t testing.TB, path, data string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(data), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryHasOneServerAtATime(t *testing.T) {
	dir := t.TempDir()
	first, err := New(&Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(&Options{Dir: dir}); !errors.Is(err, storage.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v; want an error that says that %s is in use", err, dir)
	}
	first.Close()
	second, err := New(&Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}

func TestDamagedDirectoryIsRefused(t *testing.T) {
	damages := []struct {
		name   string
		damage func(dir string) (path string) // what the error has to name
	}{
		{"no JSON", func(dir string) string {
			path := filepath.Join(dir, "buckets", "bucket-media", "bucket.json")
			write(t, path, "{")
			return path
		}},
		{"a later format", func(dir string) string {
			path := filepath.Join(dir, "format.json")
			write(t, path, `{"Format":2}`)
			return path
		}},
		{"a missing body", func(dir string) string {
			os.RemoveAll(filepath.Join(dir, "blobs"))
			return files(t, filepath.Join(dir, "buckets", "bucket-media", "objects"))[0]
		}},
		{"a damaged list of parts", func(dir string) string {
			path := filepath.Join(dir, "buckets", "bucket-media", "uploads")
			for name := range readFiles(t, path, "") {
				path = filepath.Join(path, strings.TrimSuffix(name, ".json")+".parts")
			}
			write(t, path, "{\n")
			return path
		}},
		{"a file instead of a directory", func(dir string) string {
			path := filepath.Join(dir, "buckets")
			os.RemoveAll(path)
			write(t, path, "")
			return path
		}},
	}
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s, c := newTestServer(t, &Options{Dir: dir})
			c.good("PUT", "/media/k", "abc")
			c.initiate("/media/k")
			s.Close()
			path := test.damage(dir)
			s, err := New(&Options{Dir: dir})
			if err == nil {
				s.Close()
				t.Fatal("the directory was opened")
			}
			if !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name %s: %v", path, err)
			}
		})
	}
}

func TestDiskFailureIsAnInternalError(t *testing.T) {
	dir := t.TempDir()
	s, c := newTestServer(t, &Options{Dir: dir})
	id := c.initiate("/media/k")
	if err := os.RemoveAll(filepath.Join(dir, "incoming")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/media/k", "/media/k?partNumber=1&uploadId=" + id, "/other-bucket"} {
		a := c.refused(500, "InternalError", "PUT", path, "")
		if a.Message != "Please contact the server administrator, oss@service.aliyun.com." || !strings.Contains(a.field("Cause"), "incoming") {
			t.Errorf("%s: got %s; want the cause", path, a.body)
		}
	}
	c.refused(500, "InternalError", "POST", "/media/k?uploads", "")
	if len(s.Objects("media")) != 0 || len(s.Uploads("media")[0].Parts) != 0 || len(s.Buckets()) != 1 {
		t.Error("the server counts what it could not keep")
	}
}

func TestLostPartOfASequentialUploadIsAnInternalError(t *testing.T) {
	dir := t.TempDir()
	s, c := newTestServer(t, &Options{Dir: dir, Buckets: []string{"media"}})
	id := c.initiate("/media/k?sequential")
	etag := c.part("/media/k", id, 1, "abc")
	if err := os.RemoveAll(filepath.Join(dir, "blobs")); err != nil {
		t.Fatal(err)
	}
	c.refused(500, "InternalError", "POST", "/media/k?uploadId="+id, partList(1, etag))
	if n := len(s.Uploads("media")); n != 1 {
		t.Errorf("%d uploads are left, want 1", n)
	}
}
