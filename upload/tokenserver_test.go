package upload_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A tokenChain is all that stands between a RAM user's key and an object: STS, an app
// server that narrows each token to its user's prefix, and OSS, which knows the
// tokens and their policies.
type tokenChain struct {
	testbed
	sts *ststest.Server
	app *httptest.Server
}

func newTokenChain(t *testing.T, opts *ststest.Options) *tokenChain {
	c := &tokenChain{testbed: *newTestbed(t)}
	c.sts = ststest.NewServer(opts)
	t.Cleanup(c.sts.Close)
	c.server = osstest.NewServer(&osstest.Options{
		Buckets: []string{bucket},
		LookupKey: func(id, token string) (osstest.Key, bool) {
			k, ok := c.sts.Lookup(id, token)
			return osstest.Key{
				AccessKeyID: k.AccessKeyID, AccessKeySecret: k.AccessKeySecret, SecurityToken: k.SecurityToken,
				Expires: k.Expires, Policy: k.Policy,
			}, ok
		},
	})
	t.Cleanup(c.server.Close)
	user := c.sts.DefaultUser()
	handler, err := appserver.New(&appserver.Config{
		AccessKeyID: user.AccessKeyID, AccessKeySecret: user.AccessKeySecret, RoleARN: ststest.DefaultRole,
		PolicyFile: "policy/bucket_read_write_policy.txt", BucketName: bucket, STSEndpoint: c.sts.URL,
	}, &appserver.Options{
		Authenticate: func(r *http.Request) (appserver.Identity, error) {
			name := r.Header.Get("X-User")
			return appserver.Identity{Name: name, ObjectPrefix: "users/" + name + "/"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = handler.Close() })
	c.app = httptest.NewServer(handler)
	t.Cleanup(c.app.Close)
	return c
}

// as returns a provider of the tokens of one user.
func (c *tokenChain) as(user string) sts.Provider {
	c.t.Helper()
	p, err := sts.NewHTTP(c.app.URL, &sts.HTTPOptions{
		Prepare: func(r *http.Request) error { r.Header.Set("X-User", user); return nil },
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func TestChainFromKeyToObject(t *testing.T) {
	c := newTokenChain(t, nil)
	c.opts.Credentials = c.as("alice")
	c.opts.Checkpoints = checkpoint.NewMemory()
	client := c.client()
	f := c.file("film.mp4", 3*mib)
	f.Endpoint, f.Object = c.server.URL, "users/alice/film.mp4"
	if _, err := client.Upload(c.ctx, f); err != nil {
		t.Fatal(err)
	}
	c.same(f)
	if n := c.sts.Stats().Calls; n != 1 {
		t.Errorf("%d calls of STS, want 1", n)
	}
	c.clean()
}

func TestChainTokenOfOneUserCannotWriteToAnother(t *testing.T) {
	c := newTokenChain(t, nil)
	c.opts.Credentials = c.as("alice")
	f := c.file("film.mp4", 300*kib)
	f.Endpoint, f.Object = c.server.URL, "users/bob/film.mp4"
	_, err := c.client().Upload(c.ctx, f)
	var failed *upload.Error
	if !errors.As(err, &failed) || failed.Code != "AccessDenied" {
		t.Errorf("got %v, want AccessDenied", err)
	}
	if _, ok := c.server.Object(bucket, f.Object); ok {
		t.Error("the object is there")
	}
	if n := c.sts.Stats().Calls; n != 1 {
		t.Errorf("%d calls of STS, want 1: a missing right is not expiry", n)
	}
}

func TestChainGoesOnWithTheNextToken(t *testing.T) {
	t.Parallel()
	c := newTokenChain(t, &ststest.Options{TokenLife: time.Second})
	cache, err := sts.NewCache(c.as("alice"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	c.opts.Credentials = cache
	retried := 0
	c.opts.Callbacks.OnRetry = func(*upload.Client, upload.FileInfo, upload.Retry) { retried++ }
	c.server.Inject(osstest.Delay(osstest.OpUploadPart, 50*time.Millisecond).Always()) // two seconds in all
	f := c.file("film.mp4", 20*mib)
	f.Endpoint, f.Object = c.server.URL, "users/alice/film.mp4"
	if _, err := c.client().Upload(c.ctx, f); err != nil {
		t.Fatal(err)
	}
	c.same(f)
	c.clean()
	begun := 0
	for _, q := range c.server.Requests(osstest.OpInitiateMultipartUpload) {
		if q.Status == http.StatusOK {
			begun++
		}
	}
	if calls := c.sts.Stats().Calls; retried > 0 || begun != 1 || calls < 2 {
		t.Errorf("%d retries, %d uploads begun, %d calls of STS; want 0, 1, more than one", retried, begun, calls)
	}
}
