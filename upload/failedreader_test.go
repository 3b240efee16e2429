package upload_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// readerOf is a Reader of as many parts, on its way to an object.
func readerOf(b *testbed, object string, parts int) upload.File {
	f := b.bytesOf(object, parts*100*kib)
	f.Source, f.Reader = nil, bytes.NewReader(make([]byte, parts*100*kib))
	return f
}

// What was sent of a Reader that has failed is of no use to anybody: it is aborted
// whatever happens meanwhile, for no other run will do it.
func TestFailedReaderIsAborted(t *testing.T) {
	t.Run("while the client is paused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newDirectTestbed(t)
			b.opts.RetryInterval = 5 * time.Second
			c := b.client()
			failed := osstest.Fail(osstest.OpAbortMultipartUpload, 503, "ServiceUnavailable")
			b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(3), failed)
			id := b.add(c, readerOf(b, "a", 5))[0]
			b.do(c.Start(b.ctx))
			<-failed.Fired()
			time.Sleep(time.Second)
			b.do(c.Pause())
			b.until(c, id, upload.FileFailed)
			b.clean()
		})
	})
	t.Run("by a Sweep if the server did not let it be aborted, also if the client was paused then", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newDirectTestbed(t)
			c := b.client()
			b.server.Inject(
				osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Part(3),
				osstest.Delay(osstest.OpAbortMultipartUpload, 5*time.Second),
				osstest.Fail(osstest.OpAbortMultipartUpload, 403, "AccessDenied"))
			id := b.add(c, readerOf(b, "a", 5))[0]
			b.do(c.Start(b.ctx))
			b.eventually("the abort", func() bool { return b.server.InFlight(osstest.OpAbortMultipartUpload) > 0 })
			b.do(c.Pause())
			b.until(c, id, upload.FileFailed)
			found, err := c.Sweep(b.ctx, upload.SweepOptions{Endpoint: directEndpoint, Bucket: bucket, OlderThan: -1, OnlyThisMachine: true})
			if err != nil || len(found) != 1 || !found[0].Aborted {
				t.Errorf("Sweep: %+v, %v, want the upload of the Reader aborted", found, err)
			}
			b.clean()
		})
	})
	t.Run("before the parts of files that come first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newDirectTestbed(t)
			b.opts.Parallel, b.opts.RetryInterval = 1, 9*time.Second
			c := b.client()
			b.server.Inject( // the second one starts while the first waits for its retry
				osstest.Fail(osstest.OpInitiateMultipartUpload, 503, "ServiceUnavailable").Key("first"),
				osstest.Delay(osstest.OpUploadPart, 10*time.Second).Always(),
				osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Key("second").Part(2))
			ids := b.add(c, b.bytesOf("first", 800*kib), readerOf(b, "second", 5))
			b.do(c.Start(b.ctx))
			b.until(c, ids[1], upload.FileFailed)
			for _, u := range b.server.Uploads(bucket) {
				if u.Key == "second" {
					t.Error("the upload of the Reader that failed is left at the server")
				}
			}
		})
	})
}
