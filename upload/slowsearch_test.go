package upload_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestLostInitiateOnASlowLink: what a lost Initiate has made is looked for and aborted also
// where a part of another file has the only slot for a minute.
func TestLostInitiateOnASlowLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		defer network.Close()
		network.Set(memnet.Link{Rate: 2 * kib})
		server := must(osstest.New(&osstest.Options{Buckets: []string{bucket}}))
		server.Inject(osstest.LoseAnswer(osstest.OpInitiateMultipartUpload).Key("in/0"))
		network.Serve("10.0.0.1:80", server)
		transport := network.Host("uploader").Transport()
		defer transport.CloseIdleConnections()
		c := must(upload.New(&upload.Options{
			Credentials: sts.Static(defaultKey), Checkpoints: checkpoint.NewMemory(), Parallel: 1, PartSize: 100 * kib,
			HTTPClient: &http.Client{Transport: transport},
		}))
		sizes := []int64{250 * kib, 650 * kib} // the second has parts left to send when the first has ended
		for name, size := range sizes {
			must(c.AddFile(upload.File{
				Path: fmt.Sprint(name), Source: upload.NewSource(bytes.NewReader(repeated(int(size))), size, "v1"),
				Endpoint: "http://10.0.0.1", Bucket: bucket, Object: fmt.Sprint("in/", name),
			}))
		}
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if n := server.Count(osstest.OpInitiateMultipartUpload); n != 3 {
			t.Errorf("%d uploads were begun, want 3: one answer was lost", n)
		}
		if n := len(server.Uploads(bucket)); n != 0 {
			t.Errorf("%d uploads are left at the server", n)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
