package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A tenant is a customer with a bucket, and the Provider of tokens for it alone.
type tenant struct {
	server *osstest.Server
	bucket string
	life   time.Duration // of a token; 0: for ever

	mu     sync.Mutex
	issued []time.Time
	asking bool
	wrong  string // what was wrong with a question
}

func newTenant(t *testing.T, server *osstest.Server, bucket string, life time.Duration) *tenant {
	t.Helper()
	if err := server.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	return &tenant{server: server, bucket: bucket, life: life}
}

func (p *tenant) Credentials(context.Context) (sts.Credentials, error) {
	p.mu.Lock()
	if p.asking {
		p.wrong = "two questions at a time"
	}
	if n := len(p.issued); n > 0 && (p.life == 0 || time.Since(p.issued[n-1]) < p.life*9/10) {
		p.wrong = fmt.Sprintf("question %d comes %v after the last", n+1, time.Since(p.issued[n-1]))
	}
	p.asking = true
	p.issued = append(p.issued, time.Now())
	n := len(p.issued)
	p.mu.Unlock()
	c := sts.Credentials{AccessKeyID: fmt.Sprintf("STS.%s.%d", p.bucket, n), AccessKeySecret: "secret" + p.bucket, SecurityToken: "token" + p.bucket}
	key := osstest.Key{
		AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken,
		Policy: fmt.Sprintf(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":["acs:oss:*:*:%[1]s","acs:oss:*:*:%[1]s/*"]}]}`, p.bucket),
	}
	if p.life > 0 {
		key.Expires = time.Now().Add(p.life)
		c.Expiration = key.Expires
	}
	p.server.AddKey(key)
	time.Sleep(time.Millisecond)
	p.mu.Lock()
	p.asking = false
	p.mu.Unlock()
	return c, nil
}

// check wants each token that was given to have signed something, and all that is of the
// bucket to be signed by one of them.
func (p *tenant) check(t *testing.T, signed map[string]map[string]bool) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong != "" {
		t.Errorf("%s: %s", p.bucket, p.wrong)
	}
	for key := range signed[p.bucket] {
		if !strings.HasPrefix(key, "STS."+p.bucket+".") {
			t.Errorf("%s: a request was signed by %s", p.bucket, key)
		}
	}
	if got, want := len(signed[p.bucket]), len(p.issued); got != want {
		t.Errorf("%s: %d tokens signed something, %d were asked for", p.bucket, got, want)
	}
}

// signedBy returns which keys signed the requests about each bucket.
func signedBy(server *osstest.Server) map[string]map[string]bool {
	all := make(map[string]map[string]bool)
	for _, r := range server.Requests() {
		if all[r.Bucket] == nil {
			all[r.Bucket] = make(map[string]bool)
		}
		all[r.Bucket][r.AccessKeyID] = true
	}
	return all
}

// One client uploads into the buckets of a thousand customers, whose tokens last 5 s: each
// Provider is asked once for each token, and none signs for another.
func TestThousandTenants(t *testing.T) {
	for name, tt := range map[string]struct{ tenants, files int }{
		"a thousand with a file each": {many(1000), 1},
		"twenty with ten each":        {20, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				defer network.Close()
				server, err := osstest.New(nil)
				if err != nil {
					t.Fatal(err)
				}
				network.Serve("10.0.0.1:80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					server.ServeHTTP(w, r)
					time.Sleep(2500 * time.Millisecond) // so that the third of a file's steps needs a second token
				}))
				transport := network.Host("uploader").Transport()
				defer transport.CloseIdleConnections()
				c := must(upload.New(&upload.Options{
					Checkpoints: checkpoint.NewMemory(), PartSize: 100 * kib, Parallel: 1000, // so that no token expires in the queue for slots
					HTTPClient: &http.Client{Transport: transport},
					Callbacks: upload.Callbacks{
						OnTokenExpired: func(_ *upload.Client, f upload.FileInfo) { t.Errorf("OnTokenExpired for %s", f.Bucket) },
					},
				}))
				content := bytes.NewReader(repeated(100*kib + 1))
				var tenants []*tenant
				for i := range tt.tenants {
					tenants = append(tenants, newTenant(t, server, fmt.Sprintf("tenant-%d", i), 5*time.Second))
				}
				for i := range tt.files {
					for _, p := range tenants {
						must(c.AddFile(upload.File{
							Path: fmt.Sprint(i), Source: upload.NewSource(content, content.Size(), "v1"), Credentials: p,
							Endpoint: "http://10.0.0.1", Bucket: p.bucket, Object: fmt.Sprint(i),
						}))
					}
				}
				if err := c.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := c.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				signed, tokens := signedBy(server), 0
				for _, p := range tenants {
					p.check(t, signed)
					tokens += len(p.issued)
				}
				if tokens <= tt.tenants {
					t.Errorf("%d tokens, want some to expire under way", tokens)
				}
				if n := c.Providers(); n > 0 {
					t.Errorf("%d Providers are kept after all files have succeeded", n)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A listOf is a Provider of a type that cannot be compared.
type listOf struct {
	sts.Provider
	_ []string
}

// A holder can be compared by its type, and not by what it holds.
type holder struct {
	sts.Provider
	value any
}

// Providers that cannot be compared are asked for each file; those that are equal, once.
func TestProvidersOfAnyType(t *testing.T) {
	shared := sts.Static(defaultKey)
	for name, tt := range map[string]struct {
		give  func() sts.Provider
		gates int // of two files
	}{
		"a function":                 {func() sts.Provider { return sts.ProviderFunc(shared.Credentials) }, 2},
		"a struct with a slice":      {func() sts.Provider { return listOf{Provider: shared} }, 2},
		"a struct that holds a map":  {func() sts.Provider { return holder{shared, map[string]int{}} }, 2},
		"a struct that holds a NaN":  {func() sts.Provider { return holder{shared, math.NaN()} }, 2},
		"the same pointer":           {func() sts.Provider { return shared }, 1},
		"equal structs":              {func() sts.Provider { return holder{shared, "a"} }, 1},
		"pointers to equal structs":  {func() sts.Provider { return &holder{shared, "a"} }, 2},
		"a pointer to what has none": {func() sts.Provider { return &listOf{Provider: shared} }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Credentials = nil
			var gates []any
			b.opts.Callbacks.OnSucceeded = func(*upload.Client, upload.FileInfo, upload.Result) {}
			c := b.client()
			var ids []upload.FileID
			for _, object := range []string{"a", "b"} {
				f := b.file(object, 10)
				f.Credentials = tt.give()
				ids = append(ids, must(c.AddFile(f)))
			}
			for _, id := range ids {
				gates = append(gates, c.ProviderGate(id))
			}
			if one := gates[0] == gates[1]; one != (tt.gates == 1) {
				t.Errorf("the two share a gate: %t, want %d gates", one, tt.gates)
			}
			check(b, c.Start(b.ctx))
			check(b, c.Wait(b.ctx))
			if n := c.Providers(); n > 0 {
				t.Errorf("%d Providers are kept after the files have succeeded", n)
			}
		})
	}
}

// A Provider is kept for as long as a file may need it, and no longer.
func TestProvidersAreForgotten(t *testing.T) {
	b := newTestbed(t)
	b.opts.Credentials = nil
	c := b.client()
	p := newTenant(t, b.server, "forgotten", 0)
	f := b.file("a", 300*kib)
	f.Bucket, f.Credentials = p.bucket, p
	wantProviders := func(when string, n int) {
		t.Helper()
		if got := c.Providers(); got != n {
			t.Errorf("%s: %d Providers are kept, want %d", when, got, n)
		}
	}
	id := must(c.AddFile(f))
	wantProviders("added", 1)
	if _, err := c.AddFile(f); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("got %v", err)
	}
	other := f
	other.Bucket = "NO BUCKET"
	if _, err := c.AddFile(other); !errors.Is(err, upload.ErrInvalidArgument) {
		t.Errorf("got %v", err)
	}
	wantProviders("others refused", 1)
	check(b, c.DeleteFile(id))
	wantProviders("deleted", 0)

	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3))
	id = must(c.AddFile(f))
	check(b, c.Start(b.ctx))
	if _, err := c.WaitFile(b.ctx, id); err == nil {
		t.Error("want a failure")
	}
	wantProviders("failed", 1)
	check(b, c.DeleteFile(id))
	check(b, c.Wait(b.ctx))
	c.AwaitIdle(t)
	wantProviders("deleted after its failure", 0)
	if n := len(b.server.Uploads(p.bucket)); n > 0 {
		t.Errorf("%d uploads stay at the server: the clean-up did not use the file's Provider", n)
	}

	for i := range 50 {
		one := newTenant(t, b.server, fmt.Sprintf("one-%d", i), 0)
		g := b.file(fmt.Sprint("g", i), 10)
		g.Bucket, g.Credentials = one.bucket, one
		must(c.Upload(b.ctx, g))
	}
	wantProviders("uploaded", 0)
	p.check(t, signedBy(b.server))
}

// The clean-up after a file, and a sweep, sign with the file's Provider, though the
// client's own credentials would be refused.
func TestCleanUpUsesTheFilesProvider(t *testing.T) {
	for name, end := range map[string]func(*upload.Client, upload.FileID) error{
		"CancelFile": (*upload.Client).CancelFile,
		"DeleteFile": (*upload.Client).DeleteFile,
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.Credentials = sts.Static(sts.Credentials{AccessKeyID: "wrong", AccessKeySecret: "wrong"})
			c, id, p := b.heldTenant()
			check(b, end(c, id))
			check(b, c.Wait(b.ctx))
			if n := len(b.server.Uploads(p.bucket)); n > 0 {
				t.Errorf("%d uploads stay at the server, want none", n)
			}
			p.check(t, signedBy(b.server))
		})
	}
	t.Run("Sweep while the file is in the list", func(t *testing.T) {
		b := newTestbed(t)
		b.opts.Credentials = sts.Static(sts.Credentials{AccessKeyID: "wrong", AccessKeySecret: "wrong"})
		c, id, p := b.heldTenant()
		check(b, c.FailFile(id, errNoAddress))
		_ = c.Wait(b.ctx)
		left, err := c.Sweep(b.ctx, upload.SweepOptions{OlderThan: -1})
		if err != nil || len(left) != 1 || !left[0].Aborted {
			t.Errorf("got %+v, %v, want one aborted", left, err)
		}
		p.check(t, signedBy(b.server))
	})
	t.Run("Sweep with credentials of its own", func(t *testing.T) {
		b := newTestbed(t)
		b.opts.Credentials = sts.Static(sts.Credentials{AccessKeyID: "wrong", AccessKeySecret: "wrong"})
		c, _, p := b.heldTenant()
		check(b, c.Close())
		c = b.client()
		left, err := c.Sweep(b.ctx, upload.SweepOptions{OlderThan: -1, Endpoint: b.server.URL, Bucket: p.bucket, Credentials: sts.ProviderFunc(p.again), OnlyThisMachine: true})
		if err != nil || len(left) != 1 || !left[0].Aborted {
			t.Errorf("got %+v, %v, want one aborted", left, err)
		}
		if n := c.Providers(); n > 0 {
			t.Errorf("%d Providers are kept after the sweep", n)
		}
		if _, err := c.Sweep(b.ctx, upload.SweepOptions{Credentials: p}); !errors.Is(err, upload.ErrMissingArgument) {
			t.Errorf("got %v for credentials without a bucket, want ErrMissingArgument", err)
		}
		p.check(t, signedBy(b.server))
	})
}

// again gives the first token once more.
func (p *tenant) again(context.Context) (sts.Credentials, error) {
	return sts.Credentials{AccessKeyID: "STS." + p.bucket + ".1", AccessKeySecret: "secret" + p.bucket, SecurityToken: "token" + p.bucket}, nil
}

// heldTenant returns a client with a tenant's file, whose second part hangs.
func (b *testbed) heldTenant() (*upload.Client, upload.FileID, *tenant) {
	b.t.Helper()
	p := newTenant(b.t, b.server, "tenant", 0)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	b.server.Inject(hold)
	b.opts.Parallel = 1
	c := b.client()
	f := b.file("a", 300*kib)
	f.Bucket, f.Credentials = p.bucket, p
	id := must(c.AddFile(f))
	check(b, c.Start(b.ctx))
	<-hold.Fired()
	return c, id, p
}

// SetToken goes before the Provider, until its token has expired.
func TestSetTokenReplacesTheFilesProvider(t *testing.T) {
	b := newTestbed(t)
	b.opts.Credentials = nil
	b.opts.Parallel = 1
	p := newTenant(t, b.server, "tenant", 0)
	b.opts.Callbacks = upload.Callbacks{
		OnTokenExpired: func(*upload.Client, upload.FileInfo) { t.Error("OnTokenExpired was called") },
		OnStarted: func(c *upload.Client, f upload.FileInfo) {
			check(b, c.SetToken(f.ID, sts.Credentials{AccessKeyID: "STS.set", AccessKeySecret: "secret", SecurityToken: "token"}))
		},
	}
	b.server.AddKey(osstest.Key{AccessKeyID: "STS.set", AccessKeySecret: "secret", SecurityToken: "token"})
	c := b.client()
	f := b.file("a", 300*kib)
	f.Endpoint, f.Bucket, f.Object = "", "", ""
	f.Credentials = p
	id := must(c.AddFile(f))
	b.server.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(2))
	check(b, c.Start(b.ctx))
	for must(c.File(id)).State != upload.FileUploading {
		time.Sleep(time.Millisecond)
	}
	check(b, c.SetDestination(id, b.server.URL, p.bucket, "a"))
	if _, err := c.WaitFile(b.ctx, id); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range b.server.Requests() {
		if n := len(keys); n == 0 || keys[n-1] != r.AccessKeyID {
			keys = append(keys, r.AccessKeyID)
		}
	}
	if got := strings.Join(keys, " "); got != "STS.set STS.tenant.1" {
		t.Errorf("signed by %s, want the token that was set, then the Provider's", got)
	}
}

// A Provider that fails holds up its own files alone.
func TestProviderThatFails(t *testing.T) { synctest.Test(t, providerThatFails) }

func providerThatFails(t *testing.T) {
	b := newDirectTestbed(t)
	b.opts.TokenWait = 50 * time.Millisecond
	errDown := errors.New("the customer's token server is down")
	var calls atomic.Int32
	bad, good := b.bytesOf("bad", 10), b.bytesOf("good", 10)
	bad.Credentials = sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
		calls.Add(1)
		return sts.Credentials{}, errDown
	})
	panics := b.bytesOf("panics", 10)
	panics.Credentials = (*tenant)(nil)
	c := b.client()
	first, second, third := must(c.AddFile(bad)), must(c.AddFile(panics)), must(c.AddFile(good))
	check(b, c.Start(b.ctx))
	if _, err := c.WaitFile(b.ctx, third); err != nil {
		t.Error(err)
	}
	if _, err := c.WaitFile(b.ctx, first); !errors.Is(err, upload.ErrNoCredentials) || !errors.Is(err, errDown) {
		t.Errorf("got %v, want ErrNoCredentials and the Provider's error", err)
	}
	if _, err := c.WaitFile(b.ctx, second); !errors.Is(err, upload.ErrNoCredentials) {
		t.Errorf("got %v for a Provider that panics, want ErrNoCredentials", err)
	}
}

// Nobody asks a Provider any more whose last file is gone.
func TestProviderIsNotAskedForNobody(t *testing.T) {
	b := newTestbed(t)
	asked := make(chan context.Context, 1)
	f := b.file("a", 10)
	f.Credentials = sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
		asked <- ctx
		<-ctx.Done()
		return sts.Credentials{}, ctx.Err()
	})
	c := b.client()
	id := must(c.AddFile(f))
	check(b, c.Start(b.ctx))
	ctx := <-asked
	check(b, c.DeleteFile(id))
	select {
	case <-ctx.Done():
	case <-b.ctx.Done():
		t.Error("the question does not end with its last file")
	}
}

func TestCredentialsAreRefusedWithAnAuthorizer(t *testing.T) {
	b := newTestbed(t)
	b.opts.Authorizer = noAuthorizer{}
	c := b.client()
	f := b.file("a", 10)
	f.Credentials = sts.Static(defaultKey)
	with := must(c.AddFile(f))
	f.Endpoint, f.Bucket, f.Object = "", "", ""
	if _, err := c.AddFile(f); !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "File.Credentials") {
		t.Errorf("got %v, want ErrInvalidArgument that names File.Credentials", err)
	}
	check(b, c.Start(b.ctx))
	if _, err := c.WaitFile(b.ctx, with); err != nil {
		t.Errorf("got %v for a file with a destination", err)
	}
}

type noAuthorizer struct{}

func (noAuthorizer) Authorize(context.Context, upload.FileInfo) (upload.Authorization, error) {
	return upload.Authorization{}, errNoAddress
}

func (noAuthorizer) Renew(context.Context, upload.FileInfo) (sts.Credentials, error) {
	return sts.Credentials{}, errNoAddress
}
