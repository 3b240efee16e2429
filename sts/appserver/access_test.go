package appserver_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
)

func TestOnlyThisMachineByDefault(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := []struct {
		name   string
		edit   func(*http.Request)
		status int
	}{
		{"direct", nil, 200},
		{"by name", func(r *http.Request) { r.Host = "localhost:7080" }, 200},
		{"by version 6", func(r *http.Request) { r.Host = "[::1]:7080" }, 200},
		{"through a proxy", header("X-Forwarded-For", "192.0.2.1"), 403},
		{"through another proxy", header("Forwarded", "for=192.0.2.1"), 403},
		{"through a proxy that names only the scheme", header("X-Forwarded-Proto", "https"), 403},
		{"through a delivery network", header("Cf-Connecting-Ip", "192.0.2.1"), 403},
		{"through another one", header("Fastly-Client-Ip", "192.0.2.1"), 403},
		{"through a third", header("Fly-Client-IP", "192.0.2.1"), 403},
		{"through one that hides the address", header("Cdn-Loop", "cdn"), 403},
		{"through a load balancer", header("X-Azure-ClientIP", "192.0.2.1"), 403},
		{"through a cluster's entrance", header("X-Original-Forwarded-For", "192.0.2.1"), 403},
		{"through a proxy of a service mesh", header("X-Envoy-External-Address", "192.0.2.1"), 403},
		{"through a proxy with a name of its own", header("X-Forwarded", "for=192.0.2.1"), 403},
		{"with an address in another header", header("X-Recipient", "192.0.2.1"), 200},
		{"name that was pointed here", func(r *http.Request) { r.Host = "evil.example.com" }, 403},
		{"address in the network", func(r *http.Request) { r.Host = "192.168.0.2:7080" }, 403},
	}
	closed := newRig(t, appserver.Options{}, nil)
	open := newRig(t, appserver.Options{AllowAnyone: true}, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := closed.get(t, tt.edit)
			if a.status != tt.status || tt.status == 403 && a.text("ErrorCode") == "" {
				t.Errorf("HTTP %d: %s; want %d", a.status, a.body, tt.status)
			}
			want := 200
			if tt.name == "name that was pointed here" {
				want = 403
			}
			if a := open.get(t, tt.edit); a.status != want {
				t.Errorf("AllowAnyone: HTTP %d: %s", a.status, a.body)
			}
		})
	}
	t.Run("as nginx asks unless told otherwise", func(t *testing.T) {
		w := newRecorder()
		req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1:7080/", nil)
		req.RemoteAddr, req.Proto, req.ProtoMajor, req.ProtoMinor = "127.0.0.1:1234", "HTTP/1.0", 1, 0
		closed.handler.ServeHTTP(w, req)
		if w.status != http.StatusForbidden {
			t.Errorf("HTTP %d, want 403", w.status)
		}
	})
	t.Run("a warning that a proxy can hide", func(t *testing.T) {
		auth := func(*http.Request) (appserver.Identity, error) { return appserver.Identity{}, nil }
		known := newRig(t, appserver.Options{Authenticate: auth}, nil)
		const text = "nothing says who may ask"
		if !strings.Contains(closed.log.String(), text) || strings.Contains(open.log.String(), text) || strings.Contains(known.log.String(), text) {
			t.Errorf("logs: default %s, AllowAnyone %s, Authenticate %s; want %q in the first only", closed.log, open.log, known.log, text)
		}
	})
	t.Run("remote address", func(t *testing.T) {
		w := newRecorder()
		req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
		req.RemoteAddr = "192.0.2.1:1234"
		closed.handler.ServeHTTP(w, req)
		if w.status != http.StatusForbidden {
			t.Errorf("HTTP %d, want 403", w.status)
		}
	})
}

func TestIdentities(t *testing.T) {
	auth, err := appserver.Bearer(map[string]appserver.Identity{
		"token-of-alice-123": {Name: "alice", ObjectPrefix: "alice/"},
		"token-of-bob-12345": {Name: "bob / staff", ObjectPrefix: "bob/"},
		"token-of-carol-123": {Name: "carol", Policy: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"acs:oss:*:*:$BUCKET_NAME/*"}]}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, appserver.Options{Authenticate: auth}, func(c *appserver.Config) { c.ObjectPrefix = "in/" })
	as := func(token string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+token) }
	}
	issued := func(t *testing.T, a reply) ststest.Credential {
		t.Helper()
		c, ok := r.sts.Lookup(a.text("AccessKeyId"), a.text("SecurityToken"))
		if !ok {
			t.Fatalf("HTTP %d: %s", a.status, a.body)
		}
		return c
	}
	t.Run("token for the user's own prefix", func(t *testing.T) {
		c := issued(t, r.get(t, as("token-of-alice-123")))
		if c.Session != "alice" || !strings.Contains(c.Policy, `"acs:oss:*:*:media/in/alice/*"`) || strings.Contains(c.Policy, "ListObjects") {
			t.Errorf("session %q, policy %s", c.Session, c.Policy)
		}
	})
	t.Run("name that is no session name", func(t *testing.T) {
		c := issued(t, r.get(t, as("token-of-bob-12345")))
		if !strings.HasPrefix(c.Session, "bob_staff-") || !strings.Contains(c.Policy, "media/in/bob/*") {
			t.Errorf("session %q, policy %s", c.Session, c.Policy)
		}
	})
	t.Run("policy that cannot be narrowed is refused", func(t *testing.T) {
		a := r.get(t, as("token-of-carol-123"))
		if a.text("ErrorCode") != "InternalError" || !strings.Contains(r.log.String(), "cannot be narrowed") {
			t.Errorf("HTTP %d: %s; log %s", a.status, a.body, r.log)
		}
	})
	for name, edit := range map[string]func(*http.Request){
		"no header": nil, "other token": as("token-of-nobody-12"), "prefix of a token": as("token-of-alice"),
		"other scheme": func(req *http.Request) { req.Header.Set("Authorization", "Basic token-of-alice-123") },
	} {
		t.Run(name, func(t *testing.T) {
			a := r.get(t, edit)
			if a.status != http.StatusUnauthorized || a.text("ErrorCode") != "Unauthenticated" || a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("HTTP %d: %s", a.status, a.body)
			}
		})
	}
	t.Run("each identity has its own token, once", func(t *testing.T) {
		before := r.sts.Stats().Calls
		a, b := r.get(t, as("token-of-alice-123")), r.get(t, as("token-of-bob-12345"))
		if a.text("AccessKeyId") == b.text("AccessKeyId") || r.sts.Stats().Calls != before {
			t.Errorf("%d more calls of STS, want none and two tokens", r.sts.Stats().Calls-before)
		}
	})
}

func TestBearerRefuses(t *testing.T) {
	for name, clients := range map[string]map[string]appserver.Identity{
		"short token":             {"hunter2": {Name: "x"}},
		"token with white space":  {"token-of-alice-123 ": {Name: "x"}},
		"prefix without a slash":  {"token-of-alice-123": {Name: "x", ObjectPrefix: "x"}},
		"prefix with a wild card": {"token-of-alice-123": {Name: "x", ObjectPrefix: "*/"}},
	} {
		_, err := appserver.Bearer(clients)
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "token-of") {
			t.Errorf("%s: error = %v, want one without the token", name, err)
		}
	}
}

func TestAuthenticateErrors(t *testing.T) {
	tests := []struct {
		name   string
		who    appserver.Identity
		err    error
		status int
		code   string
	}{
		{"unauthenticated", appserver.Identity{}, fmt.Errorf("cookie: %w", appserver.ErrUnauthenticated), 401, "Unauthenticated"},
		{"forbidden", appserver.Identity{Name: "x"}, appserver.ErrForbidden, 403, "Forbidden"},
		{"its own failure", appserver.Identity{}, errors.New("database is away"), 500, "InternalError"},
		{"prefix that would widen the rights", appserver.Identity{Name: "x", ObjectPrefix: "*/"}, nil, 500, "InternalError"},
		{"policy that is none", appserver.Identity{Name: "x", Policy: "{"}, nil, 500, "InternalError"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, appserver.Options{HTTPStatus: true, Authenticate: func(*http.Request) (appserver.Identity, error) {
				return tt.who, tt.err
			}}, nil)
			a := r.get(t, nil)
			if a.status != tt.status || a.text("ErrorCode") != tt.code || strings.Contains(a.body, "database") {
				t.Errorf("HTTP %d: %s; want %d %s", a.status, a.body, tt.status, tt.code)
			}
			if n := r.sts.Stats().Calls; n != 0 {
				t.Errorf("%d calls of STS, want none", n)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	r := newRig(t, appserver.Options{MaxBody: 100}, nil)
	tests := []struct {
		name   string
		edit   func(*http.Request)
		status int
		code   string
	}{
		{"large body", func(r *http.Request) {
			r.Method = http.MethodPost
			body := strings.NewReader(strings.Repeat("x", 101))
			r.Body, r.ContentLength = readCloser{body}, 101
		}, 413, "RequestTooLarge"},
		{"other method", func(r *http.Request) { r.Method = http.MethodDelete }, 405, "MethodNotAllowed"},
		{"other path", func(r *http.Request) { r.URL.Path = "/favicon.ico" }, 404, "NotFound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := r.get(t, tt.edit)
			if a.status != tt.status || a.text("ErrorCode") != tt.code {
				t.Errorf("HTTP %d: %s; want %d %s", a.status, a.body, tt.status, tt.code)
			}
		})
	}
	t.Run("body of unknown length, read by Authenticate", func(t *testing.T) {
		r := newRig(t, appserver.Options{MaxBody: 100, Authenticate: func(req *http.Request) (appserver.Identity, error) {
			return appserver.Identity{}, req.ParseForm()
		}}, nil)
		a := r.get(t, func(req *http.Request) {
			req.Method = http.MethodPost
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Body, req.ContentLength = readCloser{strings.NewReader(strings.Repeat("x", 200))}, -1
		})
		if a.status != 413 {
			t.Errorf("HTTP %d: %s", a.status, a.body)
		}
	})
	t.Run("pages read the refusals", func(t *testing.T) {
		const page = "https://a.example"
		r := newRig(t, appserver.Options{Rate: 1, Origins: []string{page}}, nil)
		seen := map[int]string{}
		for i := range 4 {
			a := r.get(t, func(req *http.Request) {
				req.Header.Set("Origin", page)
				if i == 0 {
					req.Method = http.MethodDelete
				}
			})
			seen[a.status] = a.header.Get("Access-Control-Allow-Origin")
		}
		if seen[405] != page || seen[429] != page {
			t.Errorf("Access-Control-Allow-Origin by status is %v, want %s with 405 and 429", seen, page)
		}
	})
	t.Run("too many requests", func(t *testing.T) {
		r := newRig(t, appserver.Options{Rate: 1}, nil)
		var got []int
		for range 4 {
			got = append(got, r.get(t, nil).status)
		}
		if got[0] != 200 || !slices.Contains(got, http.StatusTooManyRequests) {
			t.Errorf("statuses %v, want 200 and then 429", got)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
