package source_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/source"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kib  = 1 << 10
	etag = `"v1"`
)

var modified = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func pattern(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 7 / 3)
	}
	return data
}

// An origin serves data. lie, if it is not nil, may answer a request instead, and returns
// whether it has.
type origin struct {
	*httptest.Server
	data []byte
	etag string
	lie  atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]

	mu   sync.Mutex
	gets []string // the ranges that were asked for
}

func newOrigin(t *testing.T, size int) *origin {
	o := &origin{data: pattern(size), etag: etag}
	o.Server = httptest.NewServer(o)
	t.Cleanup(o.Server.Close)
	return o
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.gets = append(o.gets, strings.TrimPrefix(r.Header.Get("Range"), "bytes="))
	o.mu.Unlock()
	if lie := o.lie.Load(); lie != nil && (*lie)(w, r) {
		return
	}
	o.serve(w, r)
}

// serve answers as it should be.
func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	if o.etag != "" {
		w.Header().Set("Etag", o.etag)
	}
	http.ServeContent(w, r, "talk.mp4", modified, bytes.NewReader(o.data))
}

func (o *origin) lies(lie func(w http.ResponseWriter, r *http.Request) bool) { o.lie.Store(&lie) }

// asked returns the ranges that were asked for since the last call.
func (o *origin) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	gets := o.gets
	o.gets = nil
	return gets
}

// transport is one that the end of the test closes.
func transport(t *testing.T) *http.Transport {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (o *origin) source(t *testing.T, opts *source.HTTPOptions) *source.HTTP {
	t.Helper()
	if opts == nil {
		opts = &source.HTTPOptions{}
	}
	if opts.Transport == nil {
		opts.Transport = transport(t)
	}
	src, err := source.NewHTTP(t.Context(), o.URL+"/talk.mp4", opts)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// A destination is a server of OSS, and a store that clients share.
type destination struct {
	*osstest.Server
	store checkpoint.Store
}

func newDestination(t *testing.T) *destination {
	d := &destination{osstest.NewServer(&osstest.Options{Buckets: []string{"media"}}), checkpoint.NewMemory()}
	t.Cleanup(d.Close)
	return d
}

// upload uploads src as a process of its own does.
func (d *destination) upload(t *testing.T, src *source.HTTP) (upload.Result, error) {
	t.Helper()
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.Checkpoints, opts.Parallel = d.store, 1
	client, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.Upload(t.Context(), upload.File{Path: src.Name(), Source: src, Endpoint: d.URL, Bucket: "media", Object: "talk.mp4"})
}

func (d *destination) content(t *testing.T) []byte {
	t.Helper()
	o, ok := d.Object("media", "talk.mp4")
	if !ok {
		t.Fatal("there is no object")
	}
	r, err := o.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
