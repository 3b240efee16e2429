package upload_test

import (
	"errors"
	"fmt"
	"hash/crc64"
	"os"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestUpload(t *testing.T) {
	for _, size := range []int{0, 1, 100*kib - 1, 100 * kib, 100*kib + 1, 1000 * kib, 3*mib + 17} {
		t.Run(fmt.Sprintf("%d bytes", size), func(t *testing.T) {
			b := newTestbed(t)
			f := b.file("ein Film ü 影片.mp4", size)
			r, err := b.client().Upload(b.ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			b.same(f)
			b.clean()
			want := crc64.Checksum(must(os.ReadFile(f.Path)), crc64.MakeTable(crc64.ECMA))
			if r.CRC64 != want || !r.Verified || r.Size != int64(size) {
				t.Errorf("got CRC64 %d, verified %t, size %d; want %d, true, %d", r.CRC64, r.Verified, r.Size, want, size)
			}
			if want := b.server.URL + "/media/in/ein%20Film%20%C3%BC%20%E5%BD%B1%E7%89%87.mp4"; r.Location != want {
				t.Errorf("got location %s, want %s", r.Location, want)
			}
			o, _ := b.server.Object(bucket, f.Object)
			if o.ETag != r.ETag || o.ContentType != "video/mp4" {
				t.Errorf("got ETag %q, type %q; the object has %q, %q", r.ETag, "video/mp4", o.ETag, o.ContentType)
			}
			wantType := "Multipart"
			if size <= 100*kib {
				wantType = "Normal"
			}
			if o.Type != wantType {
				t.Errorf("the object is %s, want %s", o.Type, wantType)
			}
		})
	}
}

func TestList(t *testing.T) {
	b := newTestbed(t)
	var started, finished, succeeded int
	b.opts.Callbacks = upload.Callbacks{
		OnStarted:   func(*upload.Client, upload.FileInfo) { started++ },
		OnSucceeded: func(*upload.Client, upload.FileInfo, upload.Result) { succeeded++ },
		OnFinished:  func(*upload.Client) { finished++ },
	}
	c := b.client()
	var files []upload.File
	for i := range 40 {
		f := b.file(fmt.Sprintf("%d.ts", i), i*37*kib)
		files = append(files, f)
		if _, err := c.AddFile(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Fatal(err)
	}
	if started != 40 || succeeded != 40 || finished != 1 {
		t.Errorf("%d started, %d succeeded, %d finished; want 40, 40, 1", started, succeeded, finished)
	}
	for _, f := range files {
		b.same(f)
	}
	b.clean()
	if got := b.server.MaxInFlight(); got > upload.DefaultParallel {
		t.Errorf("%d requests in flight at once, want at most %d", got, upload.DefaultParallel)
	}
}

func TestFailedFileDoesNotStopTheNext(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	bad := b.file("bad.mp4", mib)
	bad.Bucket = "nobody"
	good := b.file("good.mp4", mib)
	for _, f := range []upload.File{bad, good} {
		if _, err := c.AddFile(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	err := c.Wait(b.ctx)
	var one *upload.Error
	if !errors.As(err, &one) || one.Code != "NoSuchBucket" || one.Path != bad.Path || one.RequestID == "" || one.Status != 404 {
		t.Errorf("got %v (%+v), want NoSuchBucket of %s with its request ID", err, one, bad.Path)
	}
	b.same(good)
	_ = osstest.OpUploadPart
}
