package vod_test

import (
	"context"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// The key of a RAM user makes STS tokens, these make a video, the video's UploadAuth
// brings the parts to OSS; and on the way each of them expires.
func TestChainThroughExpiry(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	// The STS token expires before it is used for the first time, and whenever the
	// UploadAuth does; the fresh UploadAuth expires again at once.
	w.vod.Inject(
		vodtest.Fault{Action: vodtest.CreateUploadVideo, Before: func(context.Context) { w.keys.ExpireAll() }},
		vodtest.Fault{Action: vodtest.CreateUploadVideo},
		vodtest.Fault{Action: vodtest.RefreshUploadVideo, Before: func(context.Context) { w.keys.ExpireAll() }},
	)
	w.objects.Inject(
		osstest.ExpireToken(osstest.OpInitiateMultipartUpload),
		osstest.ExpireToken(osstest.OpUploadPart).Nth(5),
		osstest.ExpireToken(osstest.OpCompleteMultipartUpload),
	)
	path := w.file("a.mp4", 2000*kib)
	r, err := w.uploads(w.authorizer(nil), store, upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	m := w.one()
	w.same(m, path)
	w.clean(store)
	w.unfinished(0)
	if r.VideoID != m.ID || m.Refreshed != 3 || w.keys.Stats().Issued != 3 {
		t.Errorf("video %s, refreshed %d times, %d STS tokens; want %s, 3, 3", r.VideoID, m.Refreshed, w.keys.Stats().Issued, m.ID)
	}
	if n := w.objects.Count(osstest.OpInitiateMultipartUpload); n != 2 {
		t.Errorf("%d uploads were begun, want the one that was refused and one more", n)
	}
}

// The UploadAuth expires in the operations that are not part of every upload.
func TestChainThroughExpiryOf(t *testing.T) {
	tests := []struct {
		name      string
		op        osstest.Op
		size      int
		before    func(w *world, store checkpoint.Store, path string)
		refreshed int
	}{
		{"PutObject of a file of one part", osstest.OpPutObject, 60 * kib, nil, 1},
		{"HEAD after a lost Complete", osstest.OpHeadObject, 450 * kib, func(w *world, _ checkpoint.Store, _ string) {
			w.letRead()
			w.objects.Inject(osstest.LoseAnswer(osstest.OpCompleteMultipartUpload))
		}, 1},
		// An upload that continues has asked for an UploadAuth already.
		{"ListParts on resume", osstest.OpListParts, 450 * kib, (*world).interrupt, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			store := checkpoint.NewMemory()
			path := w.file("a.mp4", tt.size)
			if tt.before != nil {
				tt.before(w, store, path)
			}
			w.objects.Inject(osstest.ExpireToken(tt.op))
			r, err := w.uploads(w.authorizer(nil), store, upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			m := w.one()
			w.same(m, path)
			w.clean(store)
			w.unfinished(0)
			if n := w.objects.Count(tt.op); r.VideoID != m.ID || m.Refreshed != tt.refreshed || n != 2 {
				t.Errorf("video %s, refreshed %d times, %d calls of %s; want %s, %d, 2", r.VideoID, m.Refreshed, n, tt.op, m.ID, tt.refreshed)
			}
		})
	}
}

// interrupt leaves an upload behind that lacks its fourth part.
func (w *world) interrupt(store checkpoint.Store, path string) {
	w.t.Helper()
	w.objects.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(4))
	if _, err := w.uploads(w.authorizer(nil), store, upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path}); err == nil {
		w.t.Fatal("the first run succeeded")
	}
}

// An endpoint such as oss-accelerate.aliyuncs.com has no region, nor does that of a
// server on this machine. The UploadAuth does.
func TestRequestsAreSignedForTheRegionOfTheTicket(t *testing.T) {
	tests := []struct {
		name   string
		upload func(w *world, path string) error
	}{
		{"through an Authorizer", func(w *world, path string) error {
			_, err := w.uploads(w.authorizer(nil), checkpoint.NewMemory(), upload.Callbacks{}).Upload(w.ctx, upload.File{Path: path})
			return err
		}},
		{"through SetUploadAuthAndAddress", func(w *world, path string) error {
			made := must(w.client().CreateUploadVideo(w.ctx, aVideo))
			c := w.uploads(nil, checkpoint.NewMemory(), upload.Callbacks{})
			id := must(c.AddFile(upload.File{Path: path}))
			if err := c.SetUploadAuthAndAddress(id, string(made.UploadAuth), made.UploadAddress, made.VideoID); err != nil {
				return err
			}
			if err := c.Start(w.ctx); err != nil {
				return err
			}
			return c.Wait(w.ctx)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t) // refuses version 1
			path := w.file("a.mp4", 450*kib)
			if err := tt.upload(w, path); err != nil {
				t.Fatal(err)
			}
			w.same(w.one(), path)
		})
	}
}

// The UploadAuth expires when a file is canceled: a fresh one aborts the upload.
func TestCancelThroughExpiry(t *testing.T) {
	w := newWorld(t)
	store := checkpoint.NewMemory()
	hang := osstest.Hang(osstest.OpUploadPart).BeforeWork().Nth(3)
	w.objects.Inject(hang, osstest.ExpireToken(osstest.OpAbortMultipartUpload))
	canceled := make(chan struct{})
	c := w.uploads(w.authorizer(nil), store, upload.Callbacks{OnCanceled: func(*upload.Client, upload.FileInfo) { close(canceled) }})
	id := must(c.AddFile(upload.File{Path: w.file("a.mp4", 900*kib)}))
	if err := c.Start(w.ctx); err != nil {
		t.Fatal(err)
	}
	w.await(hang.Fired())
	if err := c.CancelFile(id); err != nil {
		t.Fatal(err)
	}
	w.await(canceled)
	m := w.one()
	w.clean(store)
	w.unfinished(0)
	if _, ok := w.objects.Object(m.Bucket, m.Object); ok || m.Refreshed != 1 {
		t.Errorf("object made: %t, refreshed %d times; want none, once", ok, m.Refreshed)
	}
}

// await fails the test unless something comes in time.
func (w *world) await(come <-chan struct{}) {
	w.t.Helper()
	select {
	case <-come:
	case <-w.ctx.Done():
		w.t.Fatal("it did not come")
	}
}

// unfinished fails the test unless OSS has n unfinished uploads.
func (w *world) unfinished(n int) {
	w.t.Helper()
	buckets := make(map[string]bool)
	for _, m := range w.vod.Media() {
		buckets[m.Bucket] = true
	}
	left := 0
	for bucket := range buckets {
		left += len(w.objects.Uploads(bucket))
	}
	if left != n {
		w.t.Errorf("%d unfinished uploads stay at the server, want %d", left, n)
	}
}
