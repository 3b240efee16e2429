package appserver_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is an app server and the STS behind it.
type rig struct {
	sts     *ststest.Server
	handler *appserver.Handler
	log     *syncBuffer
	url     string   // of the app server
	given   []string // secrets and tokens that clients got
}

// syncBuffer is a log that many goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func logTo(b *syncBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

func users() []ststest.User { return []ststest.User{{AccessKeyID: keyID, AccessKeySecret: secret}} }

func config(endpoint string) *appserver.Config {
	return &appserver.Config{
		AccessKeyID: keyID, AccessKeySecret: secret, RoleARN: ststest.DefaultRole, BucketName: "media",
		PolicyFile: "policy/bucket_read_write_policy.txt", STSEndpoint: endpoint,
	}
}

// newRig starts both. A function may change the options of each.
func newRig(t *testing.T, opts appserver.Options, edit func(*appserver.Config)) *rig {
	t.Helper()
	r := &rig{sts: ststest.NewServer(&ststest.Options{Users: users()}), log: &syncBuffer{}}
	t.Cleanup(r.sts.Close)
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	c := config(r.sts.URL)
	if edit != nil {
		edit(c)
	}
	var err error
	if r.handler, err = appserver.New(c, &opts); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(r.handler)
	r.url = srv.URL
	t.Cleanup(func() {
		srv.Close()
		r.handler.Close()
		noSecret(t, "log", r.log.String())
		for _, s := range r.given {
			if s != "" && strings.Contains(r.log.String(), s) {
				t.Errorf("the log has what a client was given in it, %s: %s", s, r.log)
			}
		}
	})
	return r
}

// A reply is an answer of the app server.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any // nil if it is no JSON object
}

func (r *rig) get(t *testing.T, edit func(*http.Request)) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := reply{status: resp.StatusCode, header: resp.Header, body: string(body)}
	_ = json.Unmarshal(body, &a.json)
	noSecret(t, "answer", a.body)
	r.given = append(r.given, a.text("AccessKeySecret"), a.text("SecurityToken"), a.text("AccessKeyId"))
	return a
}

func (a reply) text(name string) string {
	s, _ := a.json[name].(string)
	return s
}

// tokenOf reads the four fields, and fails the test if they are not there.
func tokenOf(t *testing.T, body []byte) sts.Credentials {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Errorf("%v: %s", err, body)
	}
	c, err := fromFields(m, "SecurityToken")
	if err != nil {
		t.Errorf("%v: %s", err, body)
	}
	return c
}

func readToken(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return tokenOf(t, body).SecurityToken
}

// A recorder is a ResponseWriter without a connection.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
