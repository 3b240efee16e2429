package jetstream_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"hash/crc64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

// A slowOSS takes a while for each part, and shows what comes.
type slowOSS struct {
	*osstest.Server
	url   string
	pause atomic.Int64 // of each part, in nanoseconds

	mu     sync.Mutex
	before func(*http.Request) // nil: nothing
	last   time.Time           // of the requests that change something
}

func newSlowOSS(t *testing.T, pause time.Duration) *slowOSS {
	t.Helper()
	s := &slowOSS{Server: osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})}
	t.Cleanup(s.Close)
	s.pause.Store(int64(pause))
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

func (s *slowOSS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.mu.Lock()
		s.last = time.Now()
		before := s.before
		s.mu.Unlock()
		if before != nil {
			before(r)
		}
	}
	if isPart(r) {
		time.Sleep(time.Duration(s.pause.Load())) // what a slow link takes
	}
	s.Server.ServeHTTP(w, r)
}

func isPart(r *http.Request) bool { return r.URL.Query().Has("partNumber") }

// watch calls fn with each request that changes something, before it is served.
func (s *slowOSS) watch(fn func(*http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = fn
}

func (s *slowOSS) lastChange() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// parts returns how many parts the server has of the upload that is under way.
func (s *slowOSS) parts() int {
	for _, u := range s.Uploads("media") {
		return len(u.Parts)
	}
	return 0
}

const partSize = 100 << 10

// film makes a file of so many parts.
func film(t *testing.T, parts int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	data := make([]byte, parts*partSize)
	_, _ = rand.Read(data)
	noError(t, "write a film", os.WriteFile(path, data, 0o600))
	return path
}

func (s *slowOSS) checkObject(t *testing.T, path, object string) {
	t.Helper()
	data, err := os.ReadFile(path)
	noError(t, "read", err)
	got, ok := s.Object("media", object)
	if !ok || got.CRC64 != crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)) {
		t.Errorf("object %s (there: %v) is not the film %s", object, ok, path)
	}
}

// send uploads one film with a client of its own.
func send(ctx context.Context, store checkpoint.Store, endpoint, path, object string) (upload.Result, error) {
	o := uploadtest.Options(osstest.DefaultKey)
	o.Checkpoints, o.PartSize, o.Parallel = store, partSize, 2
	c, err := upload.New(&o)
	if err != nil {
		return upload.Result{}, err
	}
	defer c.Close()
	return c.Upload(ctx, upload.File{Path: path, Endpoint: endpoint, Bucket: "media", Object: object})
}

// sending is send at the same time as the test; the function returns its result.
func sending(t *testing.T, store checkpoint.Store, endpoint, path, object string) func() (upload.Result, error) {
	type result struct {
		upload.Result
		err error
	}
	done := make(chan result, 1)
	go func() {
		r, err := send(t.Context(), store, endpoint, path, object)
		done <- result{r, err}
	}()
	return func() (upload.Result, error) {
		r := <-done
		return r.Result, r.err
	}
}

// workerEnv makes a process of the test a worker that uploads one film.
const workerEnv = "VODUPLOAD_TEST_WORKER"

type worker struct {
	NATS, Namespace, OSS, Path, Object string
	Lease                              time.Duration
	Dir                                string // of its checkpoints, without NATS; empty: none
}

// runWorker does not return in a process that is a worker.
func runWorker() {
	text := os.Getenv(workerEnv)
	if text == "" {
		return
	}
	var w worker
	err := json.Unmarshal([]byte(text), &w)
	if err == nil {
		err = w.run()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (w worker) run() error {
	if w.Dir != "" {
		s, err := checkpoint.OpenDir(w.Dir)
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = send(context.Background(), s, w.OSS, w.Path, w.Object)
		return err
	}
	nc, err := nats.Connect(w.NATS, nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	defer nc.Close()
	s, err := jetstream.Open(context.Background(), nc, &jetstream.Options{Namespace: w.Namespace, Lease: w.Lease, SyncAlways: true})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = send(context.Background(), s, w.OSS, w.Path, w.Object)
	return err
}
