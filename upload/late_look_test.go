package upload_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// A lateFS cancels a context in its first Stat, and returns a second later.
type lateFS struct {
	fs.FS
	cancel context.CancelFunc
}

func (l *lateFS) Stat(name string) (fs.FileInfo, error) {
	if cancel := l.cancel; cancel != nil {
		l.cancel = nil
		cancel()
		time.Sleep(time.Second)
	}
	return fs.Stat(l.FS, name)
}

// TestLookThatReturnsAsUploadGivesUp, in the same instant: the race detector sees an Upload
// that takes what may still be written.
func TestLookThatReturnsAsUploadGivesUp(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			c := must(upload.New(&upload.Options{
				Credentials: sts.Static(defaultKey), Checkpoints: checkpoint.NewMemory(), RetryCount: -1,
				HTTPClient: &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("no network") })},
			}))
			ctx, cancel := context.WithCancel(t.Context())
			f := upload.File{Path: "a", Endpoint: "http://127.0.0.1", Bucket: bucket, Object: "a"}
			f.FS = &lateFS{fstest.MapFS{"a": {Data: []byte("film"), ModTime: time.Unix(1e9, 0)}}, cancel}
			if _, err := c.Upload(ctx, f); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want that it was canceled", err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
