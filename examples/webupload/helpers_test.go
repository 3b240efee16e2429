package webupload_test

import (
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vodupload/vodupload/examples/webupload"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// pageRule is what the package comment asks of a bucket.
var pageRule = osstest.CORSRule{
	AllowedOrigins: []string{"http://127.0.0.1:*"},
	AllowedMethods: []string{"PUT", "POST", "DELETE", "HEAD"},
	AllowedHeaders: []string{"*"},
	ExposeHeaders:  []string{"ETag", "x-oss-request-id"},
}

// partSize is that of the page in the tests: the smallest.
const partSize = 100 << 10

// A chain is all that an upload needs, from the key of the account to the bucket
// media: an STS, a token server with the page beside it, and an OSS.
type chain struct {
	t   *testing.T
	sts *ststest.Server
	oss *osstest.Server
	url string // of the page

	auth   func(*http.Request) (appserver.Identity, error)
	mu     sync.Mutex
	tokens http.Handler
	asked  int // for tokens
}

// newChain starts a chain with the given rules for the bucket. Tokens are for the
// prefix in/; edit may send the page elsewhere.
func newChain(t *testing.T, rules []osstest.CORSRule, edit func(*chain, *webupload.Options)) *chain {
	t.Helper()
	c := &chain{t: t, sts: ststest.NewServer(nil)}
	t.Cleanup(c.sts.Close)
	c.oss = osstest.NewServer(&osstest.Options{
		Buckets: []string{"media"}, CustomDomains: map[string]string{"cdn.localhost": "media"}, CORS: rules, LookupKey: c.lookup,
	})
	t.Cleanup(c.oss.Close)
	opts := &webupload.Options{
		Endpoint: strings.Replace(c.oss.URL, "127.0.0.1", "localhost", 1), Region: "cn-hangzhou",
		Bucket: "media", Prefix: "in/", Token: "/token", PartSize: partSize, Parallel: 3,
	}
	if edit != nil {
		edit(c, opts)
	}
	opts.Authenticate = c.auth
	page, err := webupload.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	c.restart()
	mux := http.NewServeMux()
	mux.Handle("/upload/", http.StripPrefix("/upload", page))
	mux.HandleFunc("/token", c.serveToken)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.url = server.URL + "/upload/"
	return c
}

func (c *chain) lookup(id, token string) (osstest.Key, bool) {
	k, ok := c.sts.Lookup(id, token)
	return osstest.Key{AccessKeyID: k.AccessKeyID, AccessKeySecret: k.AccessKeySecret,
		SecurityToken: k.SecurityToken, Expires: k.Expires, Policy: k.Policy}, ok
}

// restart starts the token server again: it has forgotten all tokens.
func (c *chain) restart() {
	c.t.Helper()
	user := c.sts.DefaultUser()
	h, err := appserver.New(&appserver.Config{
		AccessKeyID: user.AccessKeyID, AccessKeySecret: user.AccessKeySecret, RoleARN: ststest.DefaultRole,
		PolicyFile: "policy/bucket_read_write_policy.txt", BucketName: "media", ObjectPrefix: "in/", STSEndpoint: c.sts.URL,
	}, &appserver.Options{Path: "/token", Authenticate: c.auth})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { h.Close() })
	c.setTokens(h)
}

func (c *chain) setTokens(h http.Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens = h
}

func (c *chain) serveToken(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.asked++
	h := c.tokens
	c.mu.Unlock()
	h.ServeHTTP(w, r)
}

// asks is how often the page has asked for a token.
func (c *chain) asks() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// stored checks that an object has the bytes of a file.
func (c *chain) stored(object, path string) {
	c.t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	o, ok := c.oss.Object("media", object)
	if !ok {
		c.t.Fatalf("there is no object %s among %v", object, c.oss.Objects("media"))
	}
	r, err := o.Open()
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		c.t.Fatal(err)
	}
	if sha256.Sum256(got) != sha256.Sum256(want) {
		c.t.Errorf("object %s has %d bytes, and not those of %s, which has %d", object, len(got), path, len(want))
	}
}

// partCalls returns how many calls for each part ended with which code: "" for success,
// "none" for no answer.
func (c *chain) partCalls() map[int]map[string]int {
	calls := map[int]map[string]int{}
	for _, r := range c.oss.Requests(osstest.OpUploadPart) {
		code := r.Code
		if r.Status == 0 {
			code = "none"
		}
		if calls[r.PartNumber] == nil {
			calls[r.PartNumber] = map[string]int{}
		}
		calls[r.PartNumber][code]++
	}
	return calls
}

// file makes a file of n bytes, no two places of which look alike.
func file(t *testing.T, name string, n int) string {
	t.Helper()
	data := make([]byte, n)
	x := uint64(n) + 1
	for i := range data {
		x = x*6364136223846793005 + 1442695040888963407
		data[i] = byte(x >> 56)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
