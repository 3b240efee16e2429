package upload_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// children are what the test binary does instead of the tests, by the variable of the
// environment that asks for it.
var children = map[string]func() error{crashEnv: crashChild, panicEnv: panicChild, processEnv: processChild}

// TestMain lets the test binary be the processes that tests start and end, too.
func TestMain(m *testing.M) {
	for env, child := range children {
		if os.Getenv(env) == "" {
			continue
		}
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	_ = flag.Set("test.parallel", "8") // those that run in parallel wait, most of the time
	// A server of net/http that has answered before the body had come keeps the
	// connection for half a second, and does not let anybody wait for that.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

const (
	bucket = "media"
	kib    = 1 << 10
	mib    = 1 << 20
)

// defaultKey is what osstest accepts unless told otherwise.
var defaultKey = sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}

// A testbed is a server, a client and what they need, for one test.
type testbed struct {
	t      *testing.T
	ctx    context.Context
	server *osstest.Server
	store  checkpoint.Store
	opts   upload.Options
	dir    string
	end    func() // of what a test has set up besides; may be nil
}

// hangTimeout is when a test is taken to hang. It is no measure of time: on a machine that does
// much else, any test may take minutes.
const hangTimeout = 5 * time.Minute

func newTestbed(t *testing.T) *testbed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangTimeout)
	t.Cleanup(cancel)
	b := &testbed{t: t, ctx: ctx, dir: t.TempDir(), store: checkpoint.NewMemory()}
	b.server = osstest.NewServer(&osstest.Options{Buckets: []string{bucket}})
	t.Cleanup(b.server.Close)
	b.opts = upload.Options{
		Credentials: sts.Static(defaultKey), Checkpoints: b.store,
		PartSize: 100 * kib, RetryInterval: time.Millisecond,
	}
	return b
}

// client returns a client that the test's end closes.
func (b *testbed) client() *upload.Client {
	b.t.Helper()
	c, err := upload.New(&b.opts)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

// file makes a file of random bytes that are the same in each run.
func (b *testbed) file(name string, size int) upload.File {
	b.t.Helper()
	data := make([]byte, size)
	_, _ = io.ReadFull(rand.NewChaCha8([32]byte([]byte(name + string(make([]byte, 32)))[:32])), data)
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return upload.File{Path: path, Endpoint: b.server.URL, Bucket: bucket, Object: "in/" + name}
}

// same fails the test unless the object has the file's bytes.
func (b *testbed) same(f upload.File) {
	b.t.Helper()
	want, err := os.ReadFile(f.Path)
	if err != nil {
		b.t.Fatal(err)
	}
	o, ok := b.server.Object(f.Bucket, f.Object)
	if !ok {
		b.t.Fatalf("no object %s/%s", f.Bucket, f.Object)
	}
	r, err := o.Open()
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		b.t.Fatalf("object %s has other bytes than %s (%d, want %d)", f.Object, f.Path, len(got), len(want))
	}
}

// clean fails the test if anything unfinished is left at the server or in the store.
func (b *testbed) clean() {
	b.t.Helper()
	if left := b.server.Uploads(bucket); len(left) > 0 {
		b.t.Errorf("%d unfinished uploads are left at the server", len(left))
	}
	left, err := b.store.List(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	if len(left) > 0 {
		b.t.Errorf("%d checkpoints are left", len(left))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
