package vod_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// TestMain lets the test binary be the process that TestKilled kills, too.
func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		if err := child(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

const kib = 1 << 10

// A world is the three services, with a client's provider for them.
type world struct {
	t       *testing.T
	ctx     context.Context
	keys    *ststest.Server
	objects *osstest.Server
	vod     *vodtest.Server
	dir     string

	checkpoints string // the directory of processes

	mu      sync.Mutex
	mayRead bool          // UploadAuths let their bearer look at the object
	issued  []vodtest.Key // of UploadAuths
}

func newWorld(t *testing.T, with ...func(*vodtest.Options)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, dir: t.TempDir(), checkpoints: t.TempDir()}
	w.keys = ststest.NewServer(nil)
	t.Cleanup(w.keys.Close)
	w.objects = osstest.NewServer(&osstest.Options{Region: vod.DefaultRegion, RefuseV1: true,
		OnStored: func(bucket, object string, size int64) { w.vod.Stored(bucket, object, size) }})
	t.Cleanup(w.objects.Close)
	opts := &vodtest.Options{
		Endpoint:     w.objects.URL,
		CreateBucket: w.objects.CreateBucket,
		AddKey: func(k vodtest.Key) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.mayRead {
				k.Policy = strings.Replace(k.Policy, `"oss:PutObject"`, `"oss:PutObject","oss:GetObject"`, 1)
			}
			w.objects.AddKey(osstest.Key(k))
			w.issued = append(w.issued, k)
		},
		LookupKey: func(id, token string) (vodtest.Key, bool) {
			c, ok := w.keys.Lookup(id, token)
			return vodtest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret,
				SecurityToken: c.SecurityToken, Expires: c.Expires}, ok
		},
	}
	for _, change := range with {
		change(opts)
	}
	w.vod = vodtest.NewServer(opts)
	t.Cleanup(w.vod.Close)
	t.Cleanup(func() {
		if left := w.vod.Pending(); len(left) > 0 {
			t.Errorf("faults that did not happen: %v", left)
		}
		w.objects.AssertFired(t)
	})
	return w
}

// provider is a role's tokens, got with the key of a RAM user, as an app server does.
func provider(user sts.Credentials, stsURL string) (*sts.Cache, error) {
	role, err := sts.NewAssumeRole(sts.Static(user), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: stsURL})
	if err != nil {
		return nil, err
	}
	return sts.NewCache(role, nil)
}

// letRead lets the UploadAuths that are issued from now on be good for HEAD, too. VOD's
// documentation does not say whether they are.
func (w *world) letRead() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mayRead = true
}

func (w *world) client() *vod.Client {
	w.t.Helper()
	cache := must(provider(w.keys.DefaultUser(), w.keys.URL))
	w.t.Cleanup(func() { _ = cache.Close() })
	return must(vod.NewClient(cache, &vod.ClientOptions{Endpoint: w.vod.URL}))
}

func (w *world) authorizer(opts *vod.AuthorizerOptions) *vod.Authorizer {
	w.t.Helper()
	if opts == nil {
		opts = &vod.AuthorizerOptions{}
	}
	opts.RetryInterval = time.Millisecond
	return must(vod.NewAuthorizer(w.client(), opts))
}

// uploads returns a client that the test's end closes.
func (w *world) uploads(a upload.Authorizer, store checkpoint.Store, on upload.Callbacks) *upload.Client {
	w.t.Helper()
	c := must(upload.New(&upload.Options{
		Authorizer: a, Checkpoints: store, PartSize: 100 * kib, RetryInterval: time.Millisecond, Callbacks: on,
	}))
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

// file makes a file of random bytes.
func (w *world) file(name string, size int) string {
	w.t.Helper()
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(data)
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// same fails the test unless the object of a media has the file's bytes.
func (w *world) same(m vodtest.Media, path string) {
	w.t.Helper()
	o, ok := w.objects.Object(m.Bucket, m.Object)
	if !ok {
		w.t.Fatalf("no object %s/%s", m.Bucket, m.Object)
	}
	r := must(o.Open())
	defer r.Close()
	if got, want := must(io.ReadAll(r)), must(os.ReadFile(path)); !bytes.Equal(got, want) {
		w.t.Errorf("object %s has other bytes than %s (%d, want %d)", m.Object, path, len(got), len(want))
	}
}

// one returns the only media that was made.
func (w *world) one() vodtest.Media {
	w.t.Helper()
	all := w.vod.Media()
	if len(all) != 1 {
		w.t.Fatalf("%d media were made, want 1: %v", len(all), all)
	}
	return all[0]
}

// clean fails the test if anything is left in the store.
func (w *world) clean(store checkpoint.Store) {
	w.t.Helper()
	for _, e := range must(store.List(w.ctx)) {
		w.t.Errorf("checkpoint of %v is left", e.Record.Key)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
