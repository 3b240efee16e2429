package conformance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

const (
	region = "cn-hangzhou"
	bucket = "media"

	// object has a character of each kind that somebody encodes in another way.
	object = `in/讲座 1+2&a=b%41?x#y~!*'();:@$,[]|"<>\^` + "`{}.mp4"
)

// longKey and tempKey are the credentials that the server of a test accepts.
var (
	longKey = osstest.Key{AccessKeyID: "LTAI5tConformance", AccessKeySecret: "a-secret"}
	tempKey = osstest.Key{
		AccessKeyID:     "STS.NUConformance",
		AccessKeySecret: "another-secret",
		SecurityToken:   "CAIS8gF1q6Ft5B2yfSjIr5fkJf/+=/token==",
	}
)

// A way is how a client reaches the server and signs.
type way struct {
	name        string
	v4          bool
	virtualHost bool
	additional  bool // signs more headers than it must; version 4
	key         osstest.Key
}

// ways has each pair of the choices at least once.
var ways = []way{
	{name: "V1 path style", key: longKey},
	{name: "V1 virtual host STS", virtualHost: true, key: tempKey},
	{name: "V4 virtual host", v4: true, virtualHost: true, key: longKey},
	{name: "V4 path style STS", v4: true, key: tempKey},
	{name: "V4 virtual host additional headers", v4: true, virtualHost: true, additional: true, key: tempKey},
}

// An sdk is what both SDKs can do, in the words of their tests here. Errors are
// the SDK's own: fail reads them.
type sdk interface {
	put(key, content string) error // with the properties of wantProperties
	get(key, version string) (string, error)
	getRange(key string, from, to int64) (string, error)
	head(key string) (http.Header, error)
	setACL(key, acl string) error
	acl(key string) (string, error)
	list(prefix, delimiter string) (keys, prefixes []string, err error)
	remove(key, version string) error
	removeAll(keys ...string) error
	enableVersioning() error
	versions() ([]string, error) // "version id" or "marker id", newest first
	putWithCallback(key, content, callback string) (answer string, err error)

	initiate(key string) (uploadID string, err error)
	part(key, uploadID string, number int, content string) (etag string, err error)
	copyPart(key, uploadID string, number int, source string) (etag string, err error)
	parts(key, uploadID string) ([]string, error) // their ETags
	uploads() ([]string, error)                   // their keys
	complete(key, uploadID string, etags ...string) error
	abort(key, uploadID string) error

	uploadFile(key, path, checkpoints string) error // in parts of partSize
	signedURL(method, key string, valid time.Duration) (string, error)

	fail(err error) failure
}

// partSize is the least that OSS takes.
const partSize = 100 << 10

// A failure is what an SDK understood of an error answer.
type failure struct {
	status   int
	code, ec string
}

// each runs a test with both SDKs in all ways, each with a server of its own.
func each(t *testing.T, test func(t *testing.T, e env)) {
	t.Helper()
	for _, w := range ways {
		for name, newSDK := range map[string]func(*testing.T, env) sdk{"v1": newV1, "v2": newV2} {
			t.Run(name+" "+w.name, func(t *testing.T) {
				t.Parallel()
				e := newEnv(t, w, osstest.Options{Keys: []osstest.Key{longKey, tempKey}})
				e.sdk = newSDK(t, e)
				e.with = func(k osstest.Key) sdk {
					other := e
					other.way.key = k
					return newSDK(t, other)
				}
				test(t, e)
			})
		}
	}
}

// An env is one server and one client.
type env struct {
	sdk
	way    way
	server *osstest.Server
	wire   *wire
	with   func(osstest.Key) sdk // a client with another key
}

func newEnv(t *testing.T, w way, opts osstest.Options) env {
	t.Helper()
	opts.Region = region
	opts.Buckets = append(opts.Buckets, bucket)
	s := osstest.NewServer(&opts)
	t.Cleanup(s.Close)
	return env{way: w, server: s, wire: newWire(t, s)}
}

// endpoint is what the client is given. With a name instead of an address the
// SDKs put the bucket before it.
func (e env) endpoint() string {
	if e.way.virtualHost {
		return "http://oss-" + region + ".aliyuncs.com"
	}
	return e.server.URL
}

// A wire is a client's transport. Whatever host it is asked for, it goes to the
// server and nowhere else.
type wire struct {
	base *http.Transport

	mu       sync.Mutex
	answered []string                 // "METHOD sorted-query" of each request that was answered 2xx
	lose     func(*http.Request) bool // may be nil
}

var errLost = errors.New("lost on the wire")

func newWire(t *testing.T, s *osstest.Server) *wire {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	w := &wire{base: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, u.Host)
		},
	}}
	t.Cleanup(w.base.CloseIdleConnections)
	return w
}

// RoundTrip sends a request, unless it is one to lose.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	lose := w.lose
	w.mu.Unlock()
	if lose != nil && lose(r) {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, errLost
	}
	answer, err := w.base.RoundTrip(r)
	if err == nil && answer.StatusCode/100 == 2 {
		w.mu.Lock()
		w.answered = append(w.answered, r.Method+" "+r.URL.Query().Encode())
		w.mu.Unlock()
	}
	return answer, err
}

func (w *wire) client() *http.Client { return &http.Client{Transport: w} }

// losing says which requests to lose from now on; nil loses none.
func (w *wire) losing(lose func(*http.Request) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = lose
}

// count returns how many requests were answered well whose method and query
// contain a text.
func (w *wire) count(text string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.answered {
		if strings.Contains(s, text) {
			n++
		}
	}
	return n
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// wantFailure checks what an SDK made of an error.
func (e env) wantFailure(t *testing.T, err error, want failure) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %v", want)
		return
	}
	if got := e.fail(err); got != want {
		t.Errorf("got %v, want %v: %v", got, want, err)
	}
}
