package upload_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A Tag comes back in every callback, of any type.
func TestTagComesBackEverywhere(t *testing.T) {
	b := newTestbed(t)
	b.opts.Credentials = nil
	seen := make(map[string]any)
	see := func(callback string) func(*upload.Client, upload.FileInfo) {
		return func(_ *upload.Client, f upload.FileInfo) { seen[callback+" of "+f.Object] = f.Tag }
	}
	b.opts.Callbacks = upload.Callbacks{
		OnStarted: see("OnStarted"), OnCanceled: see("OnCanceled"), OnRetryResume: see("OnRetryResume"),
		OnTokenExpired: func(c *upload.Client, f upload.FileInfo) {
			see("OnTokenExpired")(c, f)
			check(b, c.ResumeWithToken(defaultKey))
		},
		OnProgress:  func(c *upload.Client, f upload.FileInfo, _, _ int64) { see("OnProgress")(c, f) },
		OnSucceeded: func(c *upload.Client, f upload.FileInfo, _ upload.Result) { see("OnSucceeded")(c, f) },
		OnFailed:    func(c *upload.Client, f upload.FileInfo, _ error) { see("OnFailed")(c, f) },
		OnRetry:     func(c *upload.Client, f upload.FileInfo, _ upload.Retry) { see("OnRetry")(c, f) },
	}
	b.opts.Parallel = 1
	b.server.AddKey(osstest.Key{AccessKeyID: "STS.1", AccessKeySecret: "secret", SecurityToken: "token"})
	b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(1), osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Nth(2))
	c := b.client()
	check(b, c.Init(sts.Credentials{AccessKeyID: "STS.1", AccessKeySecret: "secret", SecurityToken: "token"}))
	good, bad, gone := b.file("good", 300*kib), b.file("bad", 10), b.file("gone", 10)
	good.Tag = map[string]int{"a": 1} // cannot be compared
	bad.Tag, bad.Bucket = 7, "absent"
	gone.Tag = "gone"
	ids := []upload.FileID{must(c.AddFile(good)), must(c.AddFile(bad)), must(c.AddFile(gone))}
	check(b, c.CancelFile(ids[2]))
	check(b, c.Start(b.ctx))
	if err := c.Wait(b.ctx); err == nil {
		t.Error("want the error of the file for an absent bucket")
	}
	for _, callback := range []string{"OnStarted", "OnTokenExpired", "OnRetry", "OnRetryResume", "OnProgress", "OnSucceeded"} {
		if tag, _ := seen[callback+" of in/good"].(map[string]int); tag["a"] != 1 {
			t.Errorf("%s has the tag %v", callback, seen[callback+" of in/good"])
		}
	}
	if seen["OnFailed of in/bad"] != 7 || seen["OnCanceled of in/gone"] != "gone" {
		t.Errorf("got the tags %v of the file that failed, %v of the one that was canceled", seen["OnFailed of in/bad"], seen["OnCanceled of in/gone"])
	}
	if f := must(c.File(ids[1])); f.Tag != 7 {
		t.Errorf("File has the tag %v, want 7", f.Tag)
	}
	if f := c.Files()[2]; f.Tag != "gone" {
		t.Errorf("Files has the tag %v, want gone", f.Tag)
	}
}

// What is printed of a file names the type of its Tag, and not what is in it.
func TestTagIsNotPrinted(t *testing.T) {
	tag := struct{ Password string }{"hunter2"}
	for _, v := range []any{upload.File{Path: "a.mp4", Tag: tag}, upload.FileInfo{Path: "a.mp4", Tag: &tag}, upload.FileInfo{Path: "a.mp4", Tag: "hunter2"}} {
		text := fmt.Sprintf("%v %+v %#v %s", v, v, v, []any{v})
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "a.mp4") || !strings.Contains(text, "Tag:") {
			t.Errorf("printed %s", text)
		}
	}
	if text := fmt.Sprint(upload.FileInfo{}); !strings.Contains(text, "Tag:<nil>") {
		t.Errorf("printed %s for no tag", text)
	}
}

// reports collects what OnProgress reports.
type reports struct {
	mu  sync.Mutex
	all []upload.FileInfo
}

func (r *reports) add(f upload.FileInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, f)
}

func TestOnProgressOfOneFile(t *testing.T) {
	for name, size := range map[string]int{"empty": 0, "one part": 50 * kib, "five parts": 500 * kib} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			var mine, other reports
			ended := false
			b.opts.Callbacks.OnSucceeded = func(*upload.Client, upload.FileInfo, upload.Result) { ended = true }
			f, g := b.file("f", size), b.file("g", 200*kib)
			f.OnProgress = func(i upload.FileInfo) {
				if ended {
					t.Error("OnProgress after OnSucceeded")
				}
				mine.add(i)
			}
			f.Tag, g.Tag = "f", "g"
			c := b.client()
			must(c.Upload(b.ctx, f))
			ended = false
			g.OnProgress = other.add
			must(c.Upload(b.ctx, g))
			checkReports(t, mine.all, "f", int64(size))
			checkReports(t, other.all, "g", 200*kib)
		})
	}
}

// checkReports wants reports of one file alone that never go back and end with all bytes.
func checkReports(t *testing.T, all []upload.FileInfo, tag string, size int64) {
	t.Helper()
	if len(all) == 0 {
		t.Fatalf("%s: no progress was reported", tag)
	}
	last := all[len(all)-1]
	if last.Uploaded != size || last.Size != size || last.State != upload.FileUploading {
		t.Errorf("%s: the last report has %d of %d bytes, %s; want %d, uploading", tag, last.Uploaded, last.Size, last.State, size)
	}
	full := 0
	for i, f := range all {
		if f.Tag != tag || f.Size != size || f.Uploaded > f.Size || i > 0 && f.Uploaded < all[i-1].Uploaded {
			t.Errorf("%s: report %d has tag %v, %d of %d bytes", tag, i, f.Tag, f.Uploaded, f.Size)
		}
		if f.Uploaded == size {
			full++
		}
	}
	if size == 0 && full != 1 {
		t.Errorf("%s: %d reports of no bytes, want 1", tag, full)
	}
}

// A slow OnProgress sees the latest state, and not each: in the same queue as the others.
func TestOnProgressOfOneFileIsCoalesced(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 1
	c := b.client()
	release := make(chan struct{})
	var mine reports
	f := b.file("f", 3000*kib)
	f.Tag = "f"
	f.OnProgress = func(i upload.FileInfo) {
		if len(mine.all) == 0 {
			<-release
		}
		mine.add(i)
	}
	id := must(c.AddFile(f))
	check(b, c.Start(b.ctx))
	for must(c.File(id)).State != upload.FileSucceeded {
		time.Sleep(time.Millisecond)
	}
	close(release)
	check(b, c.Wait(b.ctx))
	if n := len(mine.all); n > 3 {
		t.Errorf("%d reports of 30 parts while the first was held, want them coalesced", n)
	}
	checkReports(t, mine.all, "f", 3000*kib)
}

// The client's OnProgress and the file's are one event: the client's comes first.
func TestOnProgressOfTheClientComesFirst(t *testing.T) {
	b := newTestbed(t)
	var order []string
	b.opts.Callbacks.OnProgress = func(_ *upload.Client, _ upload.FileInfo, uploaded, _ int64) {
		order = append(order, fmt.Sprint("client ", uploaded))
	}
	f := b.file("f", 300*kib)
	f.OnProgress = func(i upload.FileInfo) { order = append(order, fmt.Sprint("file ", i.Uploaded)) }
	must(b.client().Upload(b.ctx, f))
	if len(order) == 0 || len(order)%2 != 0 {
		t.Fatalf("got %v, want pairs", order)
	}
	for pair := range slices.Chunk(order, 2) {
		if strings.Replace(pair[0], "client", "file", 1) != pair[1] {
			t.Errorf("got %v, want the client's, then the file's, of the same bytes", pair)
		}
	}
}

// Files that differ only in what is their own can be listed with what they share.
func TestWhatIsOfOneFileStaysWithIt(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	var mine reports
	for i := range 3 {
		f := b.file(fmt.Sprint(i), 10)
		f.Tag = i
		if i == 1 {
			f.OnProgress = mine.add
		}
		must(c.AddFile(f))
	}
	must(c.AddFile(b.file("without", 10)))
	check(b, c.Start(b.ctx))
	check(b, c.Wait(b.ctx))
	for i, f := range c.Files()[:3] {
		if f.Tag != i {
			t.Errorf("file %d has tag %v", i, f.Tag)
		}
	}
	if tag := c.Files()[3].Tag; tag != nil {
		t.Errorf("the file without a tag has %v", tag)
	}
	for _, f := range mine.all {
		if f.Tag != 1 {
			t.Errorf("the OnProgress of file 1 was called for %v", f.Tag)
		}
	}
	if len(mine.all) == 0 {
		t.Error("no progress was reported")
	}
}
