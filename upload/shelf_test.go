package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// accepting answers every request as OSS answers a PutObject.
type accepting struct{}

func (accepting) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	header := http.Header{"Etag": {`"9B1DEB4D3B7D4BAD9BDD2B0D7B3DCB6D"`}, "X-Oss-Request-Id": {"5C3D9175B6FC201293AD4890"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody, Request: req, ProtoMajor: 1, ProtoMinor: 1}, nil
}

// TestEndedFilesAreSmall uploads 30,000 files, or fewer: see many. Their paths and objects have 130
// characters. Each takes at most 400 bytes then, these included.
func TestEndedFilesAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("many files take seconds: run it without -short")
	}
	const most = 400
	n := many(30_000)
	b := newTestbed(t)
	b.opts.HTTPClient = &http.Client{Transport: accepting{}}
	c := b.client()
	took := measure(func() {
		fill(t, c, b, n)
		if err := errors.Join(c.Start(t.Context()), c.Wait(t.Context())); err != nil {
			t.Fatal(err)
		}
	})
	kept := took.kept / uint64(n)
	t.Logf("%d bytes for each file", kept)
	if kept > most {
		t.Errorf("each file keeps %d bytes, want at most %d", kept, most)
	}
	if s := c.Stats(); s.Files[upload.FileSucceeded] != n || s.Total != int64(n) || s.Uploaded != int64(n) {
		t.Errorf("got %+v", s)
	}
	runtime.KeepAlive(c)
}

// TestInfoOfEndedFiles: what callbacks saw of a file is what File and Files return later.
func TestInfoOfEndedFiles(t *testing.T) {
	b := newTestbed(t)
	b.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Key("fails").Always())
	seen := make(map[upload.FileID]upload.FileInfo)
	b.opts.RetryCount = -1
	b.opts.Callbacks = upload.Callbacks{
		OnSucceeded: func(_ *upload.Client, f upload.FileInfo, _ upload.Result) { seen[f.ID] = f },
		OnFailed:    func(_ *upload.Client, f upload.FileInfo, _ error) { seen[f.ID] = f },
		OnCanceled:  func(_ *upload.Client, f upload.FileInfo) { seen[f.ID] = f },
	}
	c := b.client()
	tagged, versioned := b.bytesOf("tagged", 10), b.file("a file", 300*kib)
	tagged.Tag, tagged.Info = "mine", &upload.Info{Title: "talk"}
	empty := b.bytesOf("empty", 0)
	stream := b.to("stream")
	stream.Reader = bytes.NewReader(make([]byte, 250*kib))
	files := []upload.File{b.bytesOf("parts", 350*kib), b.bytesOf("fails", 10), tagged, versioned, empty, b.bytesOf("canceled", 10), stream}
	ids := b.add(c, files...)
	if err := errors.Join(c.CancelFile(ids[5]), c.Start(b.ctx)); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err == nil {
		t.Error("Wait returned nil, want the file that failed")
	}
	plain := func(f upload.FileInfo) upload.FileInfo {
		f.Started, f.Ended = f.Started.Round(0).Local(), f.Ended.Round(0).Local() // without the monotonic clock
		return f
	}
	check := func(how string, got upload.FileInfo) {
		t.Helper()
		want := seen[got.ID]
		if d := got.Ended.Sub(want.Ended); d > time.Millisecond || d < -time.Millisecond {
			t.Errorf("%s of %s: ended %v, want %v", how, want.Object, got.Ended, want.Ended)
		}
		got.Ended = want.Ended // the monotonic clock may differ from the one on the wall
		if got, want := plain(got), plain(want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s of %s:\n got %+v\n     %+v\nwant %+v\n     %+v", how, want.Object, got, got.Result, want, want.Result)
		}
	}
	if len(seen) != len(ids) {
		t.Fatalf("%d of %d files were reported", len(seen), len(ids))
	}
	all := c.Files()
	var ranged []upload.FileInfo
	for f := range c.All() {
		ranged = append(ranged, f)
	}
	for i, id := range ids {
		check("File", must(c.File(id)))
		if len(all) != len(ids) || len(ranged) != len(ids) || all[i].ID != id || ranged[i].ID != id {
			t.Fatalf("Files has %d files, All %d, want the %d in their order", len(all), len(ranged), len(ids))
		}
		check("Files", all[i])
		check("All", ranged[i])
	}
}

// TestCallsOnFilesThatHaveSucceeded returns what they always did.
func TestCallsOnFilesThatHaveSucceeded(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	f, g := b.file("parts", 250*kib), b.file("small", 10)
	ids := b.add(c, f, g)
	if err := errors.Join(c.Start(b.ctx), c.Wait(b.ctx)); err != nil {
		t.Fatal(err)
	}
	_, again := c.AddFile(f)
	_, upAgain := c.Upload(b.ctx, f)
	for call, err := range map[string]error{"AddFile": again, "Upload": upAgain} {
		if !errors.Is(err, upload.ErrFileAlreadyExist) || !bytes.Contains([]byte(err.Error()), fmt.Appendf(nil, "as file %d", ids[0])) {
			t.Errorf("%s: got %v, want ErrFileAlreadyExist", call, err)
		}
	}
	other := f
	other.Endpoint, other.Bucket, other.Object = "", "", ""
	id := must(c.AddFile(other))
	if err := c.SetDestination(id, f.Endpoint, f.Bucket, f.Object); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("SetDestination of another: got %v, want ErrFileAlreadyExist", err)
	}
	for call, err := range map[string]error{
		"CancelFile": c.CancelFile(ids[0]), "ResumeFile": c.ResumeFile(ids[0]), "FailFile": c.FailFile(ids[0], errors.New("mine")),
		"SetToken": c.SetToken(ids[0], defaultKey), "SetDestination": c.SetDestination(ids[0], f.Endpoint, f.Bucket, "other"),
	} {
		if !errors.Is(err, upload.ErrState) || !bytes.Contains([]byte(err.Error()), []byte(call)) {
			t.Errorf("%s: got %v, want ErrState with the call", call, err)
		}
	}
	if r, err := c.WaitFile(b.ctx, ids[0]); err != nil || r.Size != 250*kib || !r.Verified {
		t.Errorf("WaitFile: %+v, %v", r, err)
	}
	if err := errors.Join(c.DeleteFile(id), c.DeleteFile(ids[0])); err != nil {
		t.Error(err)
	}
	if _, err := c.File(ids[0]); !errors.Is(err, upload.ErrFileNotExist) {
		t.Errorf("deleted: got %v, want ErrFileNotExist", err)
	}
	if err := c.DeleteFile(ids[0]); !errors.Is(err, upload.ErrFileNotExist) {
		t.Errorf("deleted twice: got %v, want ErrFileNotExist", err)
	}
	if s := c.Stats(); s.Files[upload.FileSucceeded] != 1 || s.Total != 10 || s.Uploaded != 10 || len(c.Files()) != 1 {
		t.Errorf("got %+v", s)
	}
	b.add(c, f)
	if err := errors.Join(c.Wait(b.ctx), c.ClearFiles()); err != nil {
		t.Error(err)
	}
	if s := c.Stats(); len(s.Files) != 0 || s.Total != 0 || len(c.Files()) != 0 {
		t.Errorf("cleared: %+v", s)
	}
	b.add(c, f, g)
	if err := errors.Join(c.Wait(b.ctx), c.Close()); err != nil {
		t.Error(err)
	}
	if len(c.Files()) != 2 {
		t.Errorf("%d files after Close, want 2", len(c.Files()))
	}
	for call, err := range map[string]error{"CancelFile": c.CancelFile(ids[0]), "DeleteFile": c.DeleteFile(c.Files()[0].ID), "ClearFiles": c.ClearFiles()} {
		if !errors.Is(err, upload.ErrClosed) {
			t.Errorf("%s after Close: got %v, want ErrClosed", call, err)
		}
	}
}
