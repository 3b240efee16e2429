package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
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

// denying answers every request as OSS does where a right is missing.
type denying struct{}

func (denying) RoundTrip(req *http.Request) (*http.Response, error) {
	res, _ := accepting{}.RoundTrip(req)
	res.StatusCode = http.StatusForbidden
	res.Body = io.NopCloser(strings.NewReader(`<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>You have no right to access this object because of bucket acl.</Message>` +
		`<RequestId>5C3D9175B6FC201293AD4890</RequestId><HostId>media.oss-cn-hangzhou.aliyuncs.com</HostId><EC>0003-00000001</EC></Error>`))
	return res, nil
}

// TestEndedFilesAreSmall has 30,000 files end, or fewer: see many. Their paths and objects
// have 130 characters. Each takes at most 400 bytes then, these included.
func TestEndedFilesAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("many files take seconds: run it without -short")
	}
	const most = 400
	for _, end := range []struct {
		state  upload.FileState
		files  int
		server http.RoundTripper
	}{{upload.FileSucceeded, many(30_000), accepting{}}, {upload.FileFailed, many(10_000), denying{}}, {upload.FileCanceled, many(10_000), nil}} {
		t.Run(end.state.String(), func(t *testing.T) {
			b := newTestbed(t)
			b.opts.HTTPClient = &http.Client{Transport: end.server}
			c := b.client()
			took := measure(func() {
				fill(t, c, b, end.files)
				for id := range end.files {
					if end.state == upload.FileCanceled {
						b.do(c.CancelFile(upload.FileID(id + 1)))
					}
				}
				b.do(c.Start(t.Context()))
				if err := c.Wait(t.Context()); (err != nil) != (end.state == upload.FileFailed) {
					t.Fatal(err)
				}
			})
			const client = 256 << 10 // of its own, its connections and the pools of packages
			kept := (took.kept - min(took.kept, client)) / uint64(end.files)
			t.Logf("%d bytes for each of %d files", kept, end.files)
			if kept > most {
				t.Errorf("each file keeps %d bytes, want at most %d", kept, most)
			}
			if s := c.Stats(); s.Files[end.state] != end.files || len(s.Files) != 1 || end.state == upload.FileSucceeded && (s.Total != int64(end.files) || s.Uploaded != s.Total) {
				t.Errorf("got %+v", s)
			}
			runtime.KeepAlive(c)
		})
	}
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

// TestCallsOnFilesThatFailed returns what it does before the callbacks have returned.
func TestCallsOnFilesThatFailed(t *testing.T) {
	b := newTestbed(t)
	b.opts.RetryCount, b.opts.Parallel = -1, 1
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3).Always())
	c := b.client()
	var files []upload.File
	for i := range 4 {
		files = append(files, b.file(fmt.Sprint(i), 500*kib))
	}
	ids := b.add(c, files...)
	gone := b.to("gone")
	gone.Reader = bytes.NewReader(make([]byte, 500*kib))
	gone.Tag = "mine"
	ids = append(ids, b.add(c, gone)...)
	b.do(c.CancelFile(ids[3]))
	b.do(c.Start(b.ctx))
	var failed upload.Errors
	if err := c.Wait(b.ctx); !errors.As(err, &failed) || len(failed) != 4 || failed[0].FileID != ids[0] || failed[0].Code != "AccessDenied" {
		t.Fatalf("Wait returned %v, want 4 that failed", err)
	}
	before := c.Stats()
	for call, err := range map[string]error{
		"CancelFile": c.CancelFile(ids[0]), "FailFile": c.FailFile(ids[0], errors.New("mine")), "ResumeFile": c.ResumeFile(ids[4]),
		"SetDestination": c.SetDestination(ids[0], files[0].Endpoint, files[0].Bucket, "other"),
	} {
		if !errors.Is(err, upload.ErrState) {
			t.Errorf("%s: got %v, want ErrState", call, err)
		}
	}
	if _, err := c.AddFile(files[0]); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("AddFile: got %v, want ErrFileAlreadyExist", err)
	}
	if _, err := c.WaitFile(b.ctx, ids[0]); !errors.Is(err, failed[0].Err) && err.Error() != failed[0].Error() {
		t.Errorf("WaitFile: got %v, want %v", err, failed[0])
	}
	if _, err := c.WaitFile(b.ctx, ids[3]); !errors.Is(err, upload.ErrCanceled) {
		t.Errorf("WaitFile: got %v, want ErrCanceled", err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Errorf("the second Wait returned %v", err)
	}
	b.do(c.SetToken(ids[0], defaultKey))
	if after := c.Stats(); fmt.Sprint(after.Files, after.Total, after.Uploaded) != fmt.Sprint(before.Files, before.Total, before.Uploaded) {
		t.Errorf("calls have changed the totals from %+v to %+v", before, after)
	}
	if n := len(b.server.Uploads(bucket)); n != 3 {
		t.Fatalf("%d uploads at the server, want those of the 3 that may resume", n)
	}
	b.server.ClearFaults()
	b.do(c.DeleteFile(ids[1]))
	b.eventually("its upload to be aborted", func() bool { return len(b.server.Uploads(bucket)) == 2 })
	b.do(errors.Join(c.ResumeFile(ids[0]), c.ResumeFile(ids[3]), c.Wait(b.ctx)))
	if r := must(c.File(ids[0])).Result; r == nil || r.ResumedParts == 0 {
		t.Errorf("got %+v, want parts resumed", r)
	}
	b.same(files[0])
	b.same(files[3])
	var got []upload.FileID
	for _, f := range c.Files() {
		got = append(got, f.ID)
	}
	if want := []upload.FileID{ids[0], ids[2], ids[3], ids[4]}; !slices.Equal(got, want) {
		t.Errorf("the list is %v, want %v", got, want)
	}
	b.do(c.ClearFiles())
	b.eventually("the last upload to be aborted", func() bool { return len(b.server.Uploads(bucket)) == 0 })
	if s := c.Stats(); len(s.Files) != 0 || s.Total != 0 || len(c.Files()) != 0 {
		t.Errorf("cleared: %+v", s)
	}
}
