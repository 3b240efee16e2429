package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// accepting answers every request as OSS answers a PutObject.
type accepting struct{}

func (accepting) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, err := io.Copy(io.Discard, req.Body)
		if _ = req.Body.Close(); err != nil {
			return nil, err
		}
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

// A roundTrip is an http.RoundTripper that sends nothing.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return f(req)
}

// endings are the ways in which a file can end, and what it can be given.
var endings = []struct {
	name   string
	state  upload.FileState
	server http.RoundTripper
	change func(*upload.Options)
	give   func() func(i int, f *upload.File)
	end    func(c *upload.Client, id upload.FileID) error
}{
	{name: "succeeded", state: upload.FileSucceeded, server: accepting{}},
	{name: "failed by an answer", state: upload.FileFailed, server: denying{}},
	{name: "canceled", state: upload.FileCanceled, end: (*upload.Client).CancelFile},
	{name: "failed by the network", state: upload.FileFailed, server: roundTrip(func(req *http.Request) (*http.Response, error) {
		addr := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 443}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: addr, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	})},
	{name: "failed by the network, from another port each", state: upload.FileFailed, server: roundTrip(func(req *http.Request) (*http.Response, error) {
		n, _ := strconv.Atoi(strings.TrimSuffix(path.Base(req.URL.Path), ".mp4"))
		from, to := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 10_000 + n}, &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 443}
		return nil, &net.OpError{Op: "read", Net: "tcp", Source: from, Addr: to, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	})},
	{name: "failed because the source is gone", state: upload.FileFailed, give: onDisk, end: func(c *upload.Client, id upload.FileID) error {
		f, err := c.File(id)
		return errors.Join(err, os.Remove(f.Path))
	}},
	{name: "failed because the source cannot be read", state: upload.FileFailed, server: accepting{}, give: func() func(int, *upload.File) {
		source := upload.NewSource(unreadable("film"), 1, "v1")
		return func(_ int, f *upload.File) { f.Source = source }
	}},
	{name: "failed for want of credentials", state: upload.FileFailed, change: func(o *upload.Options) {
		o.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
			return sts.Credentials{}, fmt.Errorf("no such client: %w", sts.ErrInvalidCredentials)
		})
	}},
	{name: "failed by FailFile", state: upload.FileFailed, end: func(c *upload.Client, id upload.FileID) error { return c.FailFile(id, errByCaller) }},
	{name: "of a Group, succeeded", state: upload.FileSucceeded, server: accepting{}, give: grouped},
	{name: "of a Group, failed", state: upload.FileFailed, server: denying{}, give: groupedOnDisk},
	{name: "of a Group, held back", state: upload.FileFailed, server: denying{}, give: ranked},
	{name: "of a Group, canceled", state: upload.FileCanceled, give: grouped, end: (*upload.Client).CancelFile},
	{name: "of a Provider, succeeded", state: upload.FileSucceeded, server: accepting{}, give: provided},
	{name: "of a Provider, failed", state: upload.FileFailed, server: denying{}, give: provided},
	{name: "with a Tag and OnProgress, succeeded", state: upload.FileSucceeded, server: accepting{}, give: tagged},
	{name: "with a Tag and OnProgress, failed", state: upload.FileFailed, server: denying{}, give: tagged},
}

var errByCaller = errors.New("the caller knows better")

func onDisk() func(int, *upload.File) {
	return func(_ int, f *upload.File) {
		f.Source = nil
		if err := errors.Join(os.MkdirAll(filepath.Dir(f.Path), 0o700), os.WriteFile(f.Path, []byte("x"), 0o600)); err != nil {
			panic(err)
		}
	}
}

// An unreadable is the name of a file of which no read succeeds.
type unreadable string

func (u unreadable) ReadAt([]byte, int64) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: string(u), Err: fs.ErrPermission}
}

func grouped() func(int, *upload.File) {
	g := new(upload.Group)
	return func(_ int, f *upload.File) { f.Group = g }
}

func groupedOnDisk() func(int, *upload.File) {
	disk, group := onDisk(), grouped()
	return func(i int, f *upload.File) {
		disk(i, f)
		group(i, f)
	}
}

func ranked() func(int, *upload.File) {
	g := new(upload.Group)
	return func(i int, f *upload.File) { f.Group, f.Rank = g, min(i, 1) }
}

func provided() func(int, *upload.File) {
	p := sts.Static(defaultKey)
	return func(_ int, f *upload.File) { f.Credentials = p }
}

func tagged() func(int, *upload.File) {
	progress := func(upload.FileInfo) {}
	return func(_ int, f *upload.File) { f.Tag, f.OnProgress = "mine", progress }
}

// TestEndedFilesAreSmall has 10,000 files end in each way, or fewer: see many. Each takes at
// most 400 bytes then, a path of 130 characters and its object's name included. Without -long, of
// the ways that take requests only the first ones.
func TestEndedFilesAreSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("many files take seconds: run it without -short")
	}
	const most = 400
	for i, end := range endings {
		const always = 2
		if end.server != nil && i >= always && !*long {
			continue
		}
		t.Run(end.name, func(t *testing.T) {
			n := many(10_000)
			b := newTestbed(t)
			b.opts.RetryCount = -1
			b.opts.HTTPClient = &http.Client{Transport: end.server}
			if end.change != nil {
				end.change(&b.opts)
			}
			c := b.client()
			took := measure(func() {
				give := func(int, *upload.File) {}
				if end.give != nil {
					give = end.give()
				}
				fill(t, c, b, n, give)
				for id := range n {
					if end.end != nil {
						b.do(end.end(c, upload.FileID(id+1)))
					}
				}
				b.do(c.Start(t.Context()))
				if err := c.Wait(t.Context()); (err != nil) != (end.state == upload.FileFailed) {
					t.Fatal(err)
				}
			})
			const client = 256 << 10 // of its own, its connections and the pools of packages
			kept := (took.kept - min(took.kept, client)) / uint64(n)
			t.Logf("%d bytes for each of %d files", kept, n)
			if kept > most {
				t.Errorf("each file keeps %d bytes, want at most %d", kept, most)
			}
			if s := c.Stats(); s.Files[end.state] != n || len(s.Files) != 1 || end.state == upload.FileSucceeded && (s.Total != int64(n) || s.Uploaded != s.Total) {
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

// TestProviderOfFilesThatFailed is that of what is done for them later, too: to abort, to
// resume, to sweep. It is asked once.
func TestProviderOfFilesThatFailed(t *testing.T) {
	b := newTestbed(t)
	b.opts.Credentials, b.opts.RetryCount, b.opts.Parallel = nil, -1, 1
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3).Always())
	var asked atomic.Int32
	p := &countedProvider{&asked}
	c := b.client()
	var files []upload.File
	for i := range 4 {
		f := b.file(fmt.Sprint(i), 500*kib)
		f.Credentials, f.Tag = p, i
		files = append(files, f)
	}
	ids := b.add(c, files...)
	b.do(c.Start(b.ctx))
	if err := c.Wait(b.ctx); err == nil {
		t.Fatal("Wait returned nil, want 4 files that failed")
	}
	if n := len(b.server.Uploads(bucket)); n != 4 {
		t.Fatalf("%d uploads at the server, want 4", n)
	}
	b.server.ClearFaults()
	b.do(errors.Join(c.ResumeFile(ids[0]), c.Wait(b.ctx), c.DeleteFile(ids[1])))
	b.same(files[0])
	b.eventually("the upload of the deleted file to be aborted", func() bool { return len(b.server.Uploads(bucket)) == 2 })
	b.do(c.ClearFiles())
	b.eventually("those of the others to be aborted", func() bool { return len(b.server.Uploads(bucket)) == 0 })
	if n := asked.Load(); n != 1 {
		t.Errorf("the Provider was asked %d times, want once", n)
	}
}

// A countedProvider counts how often it is asked.
type countedProvider struct{ asked *atomic.Int32 }

func (p *countedProvider) Credentials(context.Context) (sts.Credentials, error) {
	p.asked.Add(1)
	return defaultKey, nil
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
