package conformance

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMultipart(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		first, second := strings.Repeat("a", partSize), "the end"
		id, err := e.initiate(object)
		ok(t, err)
		one, err := e.part(object, id, 1, first)
		ok(t, err)
		two, err := e.part(object, id, 2, second)
		ok(t, err)

		etags, err := e.parts(object, id)
		ok(t, err)
		equal(t, "listed parts", fmt.Sprint(etags), fmt.Sprint([]string{one, two}))
		keys, err := e.uploads()
		ok(t, err)
		equal(t, "listed uploads", fmt.Sprintf("%q", keys), fmt.Sprintf("%q", []string{object}))

		e.wantFailure(t, e.complete(object, id, two, one), failure{400, "InvalidPart", ""})
		ok(t, e.complete(object, id, one, two))
		content, err := e.get(object, "")
		ok(t, err)
		if content != first+second {
			t.Errorf("got %d bytes, want %d others", len(content), len(first+second))
		}
		h, err := e.head(object)
		ok(t, err)
		equal(t, "type", h.Get("X-Oss-Object-Type"), "Multipart")
		equal(t, "metadata", h.Get("X-Oss-Meta-Title"), "A talk")
		equal(t, "end of the ETag", strings.HasSuffix(h.Get("ETag"), `-2"`), true)

		e.wantFailure(t, e.complete(object, id, one, two), failure{404, "NoSuchUpload", "0042-00000203"})
		e.wantFailure(t, e.abort(object, id), failure{404, "NoSuchUpload", "0042-00000002"})
	})
}

func TestMultipartIsAborted(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		id, err := e.initiate(object)
		ok(t, err)
		_, err = e.part(object, id, 1, "x")
		ok(t, err)
		ok(t, e.abort(object, id))
		keys, err := e.uploads()
		ok(t, err)
		equal(t, "uploads that are left", len(keys), 0)
		_, err = e.part(object, id, 1, "x")
		e.wantFailure(t, err, failure{404, "NoSuchUpload", "0042-00000104"})
	})
}

func TestPartCopy(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		source := "src/" + object
		ok(t, e.put(source, strings.Repeat("a", partSize)+"rest"))
		id, err := e.initiate("in/copy.mp4")
		ok(t, err)
		etag, err := e.copyPart("in/copy.mp4", id, 1, source)
		ok(t, err)
		ok(t, e.complete("in/copy.mp4", id, etag))
		content, err := e.get("in/copy.mp4", "")
		ok(t, err)
		equal(t, "size of the copy", len(content), partSize)
	})
}

// Each SDK's own uploader resumes its upload against the server.
func TestUploadersResume(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		dir := t.TempDir()
		path, checkpoints := filepath.Join(dir, "talk.mp4"), filepath.Join(dir, "checkpoints")
		data := bytes.Repeat([]byte("0123456789abcdef"), (4*partSize+1000)/16)
		ok(t, os.WriteFile(path, data, 0o600))
		ok(t, os.Mkdir(checkpoints, 0o700))

		e.wire.losing(func(r *http.Request) bool { return r.URL.Query().Get("partNumber") == "3" })
		if err := e.uploadFile(object, path, checkpoints); err == nil {
			t.Fatal("the upload succeeded without its third part")
		}
		equal(t, "first parts that arrived before", e.wire.count("PUT partNumber=1&"), 1)
		e.wire.losing(nil)
		ok(t, e.uploadFile(object, path, checkpoints))

		equal(t, "uploads that were begun", e.wire.count("uploads="), 1)
		total := 0
		for part := 1; part <= 5; part++ {
			n := e.wire.count(fmt.Sprintf("PUT partNumber=%d&", part))
			if n == 0 {
				t.Errorf("part %d was never sent", part)
			}
			total += n
		}
		// Either SDK may forget what was acknowledged while it gave up.
		if total > 7 {
			t.Errorf("%d parts were sent for 5", total)
		}
		content, err := e.get(object, "")
		ok(t, err)
		equal(t, "content is the file's", content == string(data), true)
	})
}
