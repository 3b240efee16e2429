package upload_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
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
	c.server = osstest.NewServer(knowing(c.sts))
	t.Cleanup(c.server.Close)
	handler := appServer(t, c.sts, c.sts.URL, nil)
	t.Cleanup(func() { _ = handler.Close() })
	c.app = httptest.NewServer(handler)
	t.Cleanup(c.app.Close)
	return c
}

// knowing are the options of an OSS that knows the tokens of an STS.
func knowing(s *ststest.Server) *osstest.Options {
	return &osstest.Options{
		Buckets: []string{bucket},
		LookupKey: func(id, token string) (osstest.Key, bool) {
			k, ok := s.Lookup(id, token)
			return osstest.Key{
				AccessKeyID: k.AccessKeyID, AccessKeySecret: k.AccessKeySecret, SecurityToken: k.SecurityToken,
				Expires: k.Expires, Policy: k.Policy,
			}, ok
		},
	}
}

// appServer gives each user, by X-User, tokens for a prefix of theirs.
func appServer(t *testing.T, s *ststest.Server, stsURL string, client *http.Client) *appserver.Handler {
	user := s.DefaultUser()
	handler, err := appserver.New(&appserver.Config{
		AccessKeyID: user.AccessKeyID, AccessKeySecret: user.AccessKeySecret, RoleARN: ststest.DefaultRole,
		PolicyFile: "policy/bucket_read_write_policy.txt", BucketName: bucket, STSEndpoint: stsURL,
	}, &appserver.Options{
		HTTPClient: client,
		Authenticate: func(r *http.Request) (appserver.Identity, error) {
			name := r.Header.Get("X-User")
			return appserver.Identity{Name: name, ObjectPrefix: "users/" + name + "/"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler
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

func TestChainContinuesWithTheNextToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		defer network.Close()
		transport := network.Host("uploader").Transport()
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		issuer := must(ststest.New(&ststest.Options{TokenLife: time.Second}))
		network.Serve("127.0.0.1:81", issuer)
		app := appServer(t, issuer, "http://127.0.0.1:81", client)
		defer app.Close()
		network.Serve("127.0.0.1:82", app)
		server := must(osstest.New(knowing(issuer)))
		network.Serve("127.0.0.1:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(50 * time.Millisecond) // two seconds in all
			server.ServeHTTP(w, r)
		}))
		alice := must(sts.NewHTTP("http://127.0.0.1:82", &sts.HTTPOptions{
			HTTPClient: client,
			Prepare:    func(r *http.Request) error { r.Header.Set("X-User", "alice"); return nil },
		}))
		cache := must(sts.NewCache(alice, nil))
		defer cache.Close()
		retried := 0
		c := must(upload.New(&upload.Options{
			Credentials: cache, Checkpoints: checkpoint.NewMemory(), PartSize: 100 * kib, HTTPClient: client,
			Callbacks: upload.Callbacks{OnRetry: func(*upload.Client, upload.FileInfo, upload.Retry) { retried++ }},
		}))
		film := repeated(20 * mib)
		_, err := c.Upload(t.Context(), upload.File{
			Path: "film.mp4", Source: upload.NewSource(bytes.NewReader(film), int64(len(film)), "v1"),
			Endpoint: "http://127.0.0.1", Bucket: bucket, Object: "users/alice/film.mp4",
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if o, ok := server.Object(bucket, "users/alice/film.mp4"); !ok || o.Size != int64(len(film)) {
			t.Errorf("got object %v, %t", o, ok)
		}
		begun := 0
		for _, q := range server.Requests(osstest.OpInitiateMultipartUpload) {
			if q.Status == http.StatusOK {
				begun++
			}
		}
		if calls := issuer.Stats().Calls; retried > 0 || begun != 1 || calls < 2 {
			t.Errorf("%d retries, %d uploads begun, %d calls of STS; want 0, 1, more than one", retried, begun, calls)
		}
	})
}
