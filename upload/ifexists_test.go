package upload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestIfExistsAsText(t *testing.T) {
	for value, text := range map[upload.IfExists]string{
		upload.Overwrite: "overwrite", upload.Fail: "fail", upload.Skip: "skip", upload.SkipSame: "skip-same",
		upload.SkipSize: "skip-size", upload.SkipNewer: "skip-newer",
	} {
		b, err := json.Marshal(value)
		if err != nil || string(b) != `"`+text+`"` || value.String() != text {
			t.Errorf("%d: got %s, %s, %v; want %s", value, b, value, err, text)
		}
		var back upload.IfExists
		if err := json.Unmarshal(b, &back); err != nil || back != value {
			t.Errorf("%s: got %v, %v", text, back, err)
		}
	}
	var i upload.IfExists
	if err := i.UnmarshalText([]byte("Skip")); !errors.Is(err, upload.ErrInvalidArgument) {
		t.Errorf("got %v, want ErrInvalidArgument", err)
	}
	if _, err := upload.IfExists(6).MarshalText(); !errors.Is(err, upload.ErrInvalidArgument) || upload.IfExists(6).String() != "IfExists(6)" {
		t.Errorf("got %v, want ErrInvalidArgument", err)
	}
}

func TestIfExistsThatCannotBe(t *testing.T) {
	b := newTestbed(t)
	for name, change := range map[string]func(*upload.File){
		"of no meaning":        func(f *upload.File) { f.IfExists = 6 },
		"SkipSame of a Reader": func(f *upload.File) { f.IfExists, f.Reader = upload.SkipSame, strings.NewReader("x") },
		"SkipSize of a Reader": func(f *upload.File) { f.IfExists, f.Reader = upload.SkipSize, strings.NewReader("x") },
	} {
		f := b.file("a.mp4", 10)
		change(&f)
		for call, add := range map[string]func() error{
			"AddFile": func() error { _, err := b.client().AddFile(f); return err },
			"Upload":  func() error { _, err := b.client().Upload(b.ctx, f); return err },
		} {
			if err := add(); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "File.IfExists") {
				t.Errorf("%s %s: got %v, want an error of File.IfExists", call, name, err)
			}
		}
	}
	if n := b.server.Count(); n != 0 {
		t.Errorf("%d requests were made, want none", n)
	}
}

func TestIfExists(t *testing.T) {
	// exists returns a file of a size whose object has other bytes.
	exists := func(t *testing.T, size int) (*testbed, upload.File, upload.Result) {
		b := newTestbed(t)
		f := b.file("a.mp4", size)
		old := must(b.client().Upload(b.ctx, b.bytesOf(f.Object, size)))
		b.server.ResetRequests()
		return b, f, old
	}
	for _, size := range []int{1000, mib} {
		t.Run(fmt.Sprintf("Fail is ErrObjectExists, %d bytes", size), func(t *testing.T) {
			b, f, _ := exists(t, size)
			f.IfExists = upload.Fail
			_, err := b.client().Upload(b.ctx, f)
			var e *upload.Error
			if !errors.Is(err, upload.ErrObjectExists) || !errors.As(err, &e) || e.Code != upload.CodeObjectExists {
				t.Errorf("got %v, want ErrObjectExists", err)
			}
			if errors.Is(e, upload.ErrGroup) || errors.Is((*upload.Error)(nil), upload.ErrObjectExists) {
				t.Error("it is more than that")
			}
		})
		t.Run(fmt.Sprintf("Skip succeeds and sends nothing, %d bytes", size), func(t *testing.T) {
			b, f, old := exists(t, size)
			f.IfExists = upload.Skip
			succeeded := make(chan upload.FileInfo, 1)
			b.opts.Callbacks.OnSucceeded = func(_ *upload.Client, f upload.FileInfo, r upload.Result) { succeeded <- f }
			res, err := b.client().Upload(b.ctx, f)
			if err != nil || !res.Skipped || res.ETag != old.ETag || res.Size != int64(size) || res.SentBytes != 0 || res.Verified {
				t.Errorf("got %+v, %v; want it skipped", res, err)
			}
			if info := <-succeeded; info.State != upload.FileSucceeded || info.Sent != 0 || !info.Result.Skipped {
				t.Errorf("OnSucceeded: got %+v", info)
			}
			if n := b.server.Count(osstest.OpHeadObject); n != 1 || b.server.Count() != 1 {
				t.Errorf("got %d requests, %d of them HEADs; want one HEAD", b.server.Count(), n)
			}
		})
		t.Run(fmt.Sprintf("SkipSame overwrites other bytes, and only those, %d bytes", size), func(t *testing.T) {
			b, f, _ := exists(t, size)
			f.IfExists = upload.SkipSame
			if res, err := b.client().Upload(b.ctx, f); err != nil || res.Skipped {
				t.Errorf("got %+v, %v; want it sent", res, err)
			}
			b.same(f)
			b.server.ResetRequests()
			if res, err := b.client().Upload(b.ctx, f); err != nil || !res.Skipped || !res.Verified || res.CRC64 == 0 {
				t.Errorf("got %+v, %v; want it skipped", res, err)
			}
			if n := b.server.Count(); n != 1 {
				t.Errorf("got %d requests, want one", n)
			}
		})
	}
	for _, size := range []int{1000, mib} {
		t.Run(fmt.Sprintf("SkipSize skips what has the size, and nothing else, %d bytes", size), func(t *testing.T) {
			b, f, old := exists(t, size)
			f.IfExists = upload.SkipSize
			if res, err := b.client().Upload(b.ctx, f); err != nil || !res.Skipped || res.Verified || res.ETag != old.ETag || b.server.Count() != 1 {
				t.Errorf("got %+v, %v; want it skipped by one request", res, err)
			}
			must(b.client().Upload(b.ctx, b.bytesOf(f.Object, size+1)))
			if res, err := b.client().Upload(b.ctx, f); err != nil || res.Skipped {
				t.Errorf("got %+v, %v; want it sent", res, err)
			}
			b.same(f)
		})
		t.Run(fmt.Sprintf("SkipNewer sends what was written later, %d bytes", size), func(t *testing.T) {
			b, f, _ := exists(t, size)
			f.IfExists = upload.SkipNewer
			for _, test := range []struct {
				written time.Time
				skipped bool
			}{{time.Now().Add(-time.Hour), true}, {time.Now().Add(time.Hour), false}} {
				if err := os.Chtimes(f.Path, test.written, test.written); err != nil {
					t.Fatal(err)
				}
				if res, err := b.client().Upload(b.ctx, f); err != nil || res.Skipped != test.skipped {
					t.Errorf("written %v: got %+v, %v; want skipped %v", test.written, res, err, test.skipped)
				}
			}
			b.same(f)
		})
	}
	t.Run("SkipNewer and SkipSize of a folder list the bucket", func(t *testing.T) {
		for _, how := range []upload.IfExists{upload.SkipSize, upload.SkipNewer} {
			b := newTestbed(t)
			old := time.Now().Add(-time.Hour)
			for i := range 20 {
				f := b.file(fmt.Sprintf("in/%02d.mp4", i), 1000)
				if err := os.Chtimes(f.Path, old, old); err != nil {
					t.Fatal(err)
				}
				must(b.client().Upload(b.ctx, upload.File{Path: f.Path, Endpoint: f.Endpoint, Bucket: f.Bucket, Object: fmt.Sprintf("in/%02d.mp4", i)}))
			}
			b.server.ResetRequests()
			c := b.client()
			opts := b.into("in/")
			opts.File.IfExists = how
			must(c.AddDir(b.ctx, b.dir+"/in", opts))
			b.do(c.Start(b.ctx))
			b.do(c.Wait(b.ctx))
			if n := b.server.Count(); n != 1 || c.Stats().Skipped != 20 {
				t.Errorf("%v: %d requests, %d skipped", how, n, c.Stats().Skipped)
			}
		}
	})
	t.Run("Skip does not overwrite what is made after it has looked", func(t *testing.T) {
		for _, op := range []osstest.Op{osstest.OpPutObject, osstest.OpCompleteMultipartUpload} {
			b := newTestbed(t)
			f := b.file("a.mp4", map[osstest.Op]int{osstest.OpPutObject: 1000, osstest.OpCompleteMultipartUpload: mib}[op])
			f.IfExists = upload.Skip
			late := osstest.Hang(op).BeforeWork()
			b.server.Inject(late)
			go func() {
				<-late.Fired()
				if _, err := b.client().Upload(b.ctx, b.bytesOf(f.Object, 700)); err != nil {
					t.Error(err)
				}
				late.Release()
			}()
			res, err := b.client().Upload(b.ctx, f)
			if err != nil || !res.Skipped || res.Size != 700 || len(b.content(f.Object)) != 700 {
				t.Errorf("%s: got %+v, %v; want it skipped", op, res, err)
			}
			b.clean()
		}
	})
	t.Run("a Reader is skipped, and closed without a read", func(t *testing.T) {
		b, f, _ := exists(t, 1000)
		r := &closedReader{Reader: bytes.NewReader(make([]byte, 10)), closed: make(chan struct{})}
		f.IfExists, f.Reader = upload.Skip, r
		res, err := b.client().Upload(b.ctx, f)
		if err != nil || !res.Skipped || res.Size != 1000 {
			t.Errorf("got %+v, %v; want it skipped", res, err)
		}
		<-r.closed
		if n := r.Reader.Len(); n != 10 {
			t.Errorf("%d bytes are left to read, want all", n)
		}
	})
	t.Run("a skipped file counts as done", func(t *testing.T) {
		b, f, _ := exists(t, 1000)
		if err := os.WriteFile(f.Path, make([]byte, 5000), 0o600); err != nil {
			t.Fatal(err)
		}
		f.IfExists = upload.Skip
		c := b.client()
		id := must(c.AddFile(f))
		start(t, b, c)
		if err := c.Wait(b.ctx); err != nil {
			t.Fatal(err)
		}
		info, s := must(c.File(id)), c.Stats()
		if info.Size != 5000 || info.Uploaded != 5000 || info.Result.Size != 1000 || s.Total != 5000 || s.Uploaded != 5000 || s.Skipped != 1 {
			t.Errorf("got %+v, %+v", info, s)
		}
	})
	t.Run("a file that is not there any more is skipped, too", func(t *testing.T) {
		b, f, _ := exists(t, 1000)
		f.IfExists = upload.Skip
		c := b.client()
		must(c.AddFile(f))
		if err := os.Remove(f.Path); err != nil {
			t.Fatal(err)
		}
		start(t, b, c)
		if err := c.Wait(b.ctx); err != nil {
			t.Error(err)
		}
	})
}

type closedReader struct {
	*bytes.Reader
	closed chan struct{}
}

func (r *closedReader) Close() error {
	close(r.closed)
	return nil
}

// Most of a folder is there: that costs a request for each page of the list, and next to
// no time.
func TestFolderOfWhichMostIsThere(t *testing.T) {
	const missing = 10
	files := many(5000)
	for _, policy := range []upload.IfExists{upload.Skip, upload.SkipSame} {
		t.Run(policy.String(), func(t *testing.T) {
			b := newTestbed(t)
			put := b.client()
			for i := range files {
				f := b.file(fmt.Sprintf("tree/%d/seg%05d.ts", i%7, i), 100+i%50)
				if i%(files/missing) != 3 {
					must(put.AddFile(f))
				}
			}
			start(t, b, put)
			if err := put.Wait(b.ctx); err != nil {
				t.Fatal(err)
			}
			b.server.ResetRequests()
			c := b.client()
			opts := b.into("in/tree")
			opts.File.IfExists = policy
			began := time.Now()
			ids := must(c.AddDir(b.ctx, b.dir+"/tree", opts))
			start(t, b, c)
			if err := c.Wait(b.ctx); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d files took %v", len(ids), time.Since(began))
			pages, sent := b.server.Count(osstest.OpListObjects), b.server.Count(osstest.OpPutObject)
			if sent != missing || b.server.Count() != pages+sent || pages > 2*files/1000+2 {
				t.Errorf("got %d requests, %d of them pages and %d PUTs; want %d PUTs and at most two pages for 1,000 files", b.server.Count(), pages, sent, missing)
			}
			if s := c.Stats(); s.Skipped != files-missing || s.Files[upload.FileSucceeded] != files {
				t.Errorf("got %+v, want %d skipped", s, files-missing)
			}
		})
	}
}
