package upload_test

import (
	"bytes"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestCancelOnASilentNetwork: what a lost Initiate may have made is not waited for.
func TestCancelOnASilentNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		defer network.Close()
		server := must(osstest.New(&osstest.Options{Buckets: []string{bucket}}))
		silent := make(chan struct{})
		var once sync.Once
		network.Serve("10.0.0.1:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && r.URL.Query().Has("uploads") {
				once.Do(func() {
					network.Set(memnet.Link{Silent: true})
					defer close(silent)
				})
			}
			server.ServeHTTP(w, r)
		}))
		transport := network.Host("uploader").Transport()
		defer transport.CloseIdleConnections()
		c := must(upload.New(&upload.Options{
			Credentials: sts.Static(defaultKey), Checkpoints: checkpoint.NewMemory(), PartSize: 100 * kib,
			HTTPClient: &http.Client{Transport: transport},
		}))
		f := upload.File{Path: "a", Source: upload.NewSource(bytes.NewReader(repeated(350*kib)), 350*kib, "v1"), Endpoint: "http://10.0.0.1", Bucket: bucket, Object: "in/a"}
		id := must(c.AddFile(f))
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-silent
		began := time.Now()
		if err := c.CancelFile(id); err != nil {
			t.Error(err)
		}
		if err := c.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the cancellation took %v", took)
		}
		network.Set(memnet.Link{})
		if n := len(server.Uploads(bucket)); n != 1 {
			t.Errorf("%d uploads are at the server, want the one whose answer was lost: the test looks at nothing", n)
		}
		if err := c.DeleteFile(id); err != nil {
			t.Error(err)
		}
		if _, err := c.Upload(t.Context(), f); err != nil {
			t.Error(err)
		}
		if n := len(server.Uploads(bucket)); n != 0 {
			t.Errorf("%d uploads are left after the next run", n)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
