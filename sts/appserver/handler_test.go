package appserver_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
)

// What the clients of all generations do with an answer, each in its own way.
var readers = map[string]func(reply) (sts.Credentials, error){
	// org.json's getInt takes numbers and text with a number in it, getString
	// takes anything. The token is only looked for with a StatusCode of 200.
	"Android, OSSAuthCredentialsProvider": func(a reply) (sts.Credentials, error) {
		if n, err := strconv.Atoi(fmt.Sprint(a.json["StatusCode"])); err != nil || n != 200 {
			return sts.Credentials{}, fmt.Errorf("%s: %s", a.text("ErrorCode"), a.text("ErrorMessage"))
		}
		return fromFields(a.json, "SecurityToken")
	},
	"Android and iOS, old: status, Security": func(a reply) (sts.Credentials, error) {
		if a.json["status"] != 200.0 {
			return sts.Credentials{}, fmt.Errorf("status %v", a.json["status"])
		}
		return fromFields(a.json, "Security")
	},
	"web: fields alone": func(a reply) (sts.Credentials, error) { return fromFields(a.json, "SecurityToken") },
	"VOD web demo: nested": func(a reply) (sts.Credentials, error) {
		nested, ok := a.json["SecurityTokenInfo"].(map[string]any)
		if !ok {
			return sts.Credentials{}, errors.New("no SecurityTokenInfo")
		}
		return fromFields(nested, "SecurityToken")
	},
}

func fromFields(m map[string]any, token string) (sts.Credentials, error) {
	text := func(name string) string { s, _ := m[name].(string); return s }
	expires, err := time.Parse("2006-01-02T15:04:05Z", text("Expiration"))
	c := sts.Credentials{AccessKeyID: text("AccessKeyId"), AccessKeySecret: text("AccessKeySecret"),
		SecurityToken: text(token), Expiration: expires}
	return c, errors.Join(err, c.Validate())
}

func TestAllClientsReadTheToken(t *testing.T) {
	r := newRig(t, appserver.Options{}, nil)
	a := r.get(t, nil)
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json; charset=utf-8" ||
		a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("HTTP %d, header %v", a.status, a.header)
	}
	p, err := sts.NewHTTP(r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	issued, ok := r.sts.Lookup(want.AccessKeyID, want.SecurityToken)
	if !ok || issued.Credentials() != want {
		t.Errorf("our own client got %v, which STS does not know", want)
	}
	if issued.Session != "vodupload" || !strings.Contains(issued.Policy, "acs:oss:*:*:media/*") {
		t.Errorf("session %q, policy %s", issued.Session, issued.Policy)
	}
	for name, read := range readers {
		t.Run(name, func(t *testing.T) {
			if got, err := read(a); err != nil || got != want {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		})
	}
	t.Run("POST", func(t *testing.T) {
		a := r.get(t, func(req *http.Request) { req.Method = http.MethodPost })
		if got, err := fromFields(a.json, "SecurityToken"); err != nil || got != want {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	})
	if n := r.sts.Stats().Calls; n != 1 {
		t.Errorf("%d calls of STS, want 1", n)
	}
}

func TestRefusalOfSTS(t *testing.T) {
	tests := []struct {
		code string
		http int // with Options.HTTPStatus
	}{
		{"NoPermission", 500},
		{"EntityNotExist.Role", 500},
		{"Throttling.User", 503},
		{"InternalError", 500},
	}
	for _, tt := range tests {
		for _, real := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTPStatus %t", tt.code, real), func(t *testing.T) {
				r := newRig(t, appserver.Options{HTTPStatus: real}, nil)
				r.sts.FailNext(1, tt.code)
				a := r.get(t, nil)
				want := http.StatusOK
				if real {
					want = tt.http
				}
				if a.status != want || a.text("ErrorCode") != tt.code || len(a.text("RequestId")) != 36 || a.json["StatusCode"] != float64(tt.http) {
					t.Errorf("HTTP %d, %s; want %d, code %s, the request ID of STS", a.status, a.body, want, tt.code)
				}
				if a.header.Get("Retry-After") != "1" {
					t.Errorf("Retry-After = %q, want 1", a.header.Get("Retry-After"))
				}
				for _, internal := range []string{"acs:ram", keyID, "authorized by RAM", "127.0.0.1"} {
					if strings.Contains(a.body, internal) {
						t.Errorf("the client is told %q: %s", internal, a.body)
					}
				}
				for _, part := range []string{tt.code, a.text("RequestId"), "acs:ram"} {
					if !strings.Contains(r.log.String(), part) {
						t.Errorf("log lacks %q: %s", part, r.log)
					}
				}
				for name, read := range readers {
					if c, err := read(a); err == nil {
						t.Errorf("%s took a refusal for %v", name, c)
					}
				}
				if _, ok := a.json["SecurityToken"]; !ok {
					t.Error("the fields of the token are missing; the oldest clients read them")
				}
			})
		}
	}
}

func TestOurClientReadsARefusal(t *testing.T) {
	r := newRig(t, appserver.Options{}, nil)
	r.sts.FailNext(1, "NoPermission")
	p, err := sts.NewHTTP(r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Credentials(t.Context())
	var e *sts.AppServerError
	if !errors.As(err, &e) || e.Code != "NoPermission" || len(e.RequestID) != 36 || e.RetryAfter != time.Second {
		t.Errorf("error = %+v, want NoPermission with request ID and Retry-After", err)
	}
}

func TestTroubleWithSTS(t *testing.T) {
	t.Run("STS is away", func(t *testing.T) {
		r := newRig(t, appserver.Options{HTTPStatus: true}, nil)
		r.sts.Close()
		a := r.get(t, nil)
		if a.status != http.StatusServiceUnavailable || a.text("ErrorCode") != "ServiceUnavailable" || strings.Contains(a.body, r.sts.URL[7:]) {
			t.Errorf("HTTP %d: %s", a.status, a.body)
		}
		if id := a.text("RequestId"); id == "" || id != a.header.Get("X-Request-Id") || !strings.Contains(r.log.String(), id) {
			t.Errorf("request ID %q is not in header %q and log %s", id, a.header.Get("X-Request-Id"), r.log)
		}
	})
	t.Run("STS does not answer", func(t *testing.T) {
		r := newRig(t, appserver.Options{HTTPStatus: true, Wait: 20 * time.Millisecond}, nil)
		defer r.sts.Hold()()
		if a := r.get(t, nil); a.status != http.StatusGatewayTimeout || a.text("ErrorCode") != "Timeout" {
			t.Errorf("HTTP %d: %s", a.status, a.body)
		}
	})
	t.Run("clock is off", func(t *testing.T) {
		far := ststest.NewServer(&ststest.Options{Users: users(), Now: func() time.Time { return time.Now().Add(-time.Hour) }})
		defer far.Close()
		r := newRig(t, appserver.Options{}, func(c *appserver.Config) { c.STSEndpoint = far.URL })
		if a := r.get(t, nil); a.text("ErrorCode") != "InvalidTimeStamp.Expired" {
			t.Errorf("answer: %s", a.body)
		}
		if !strings.Contains(r.log.String(), "ahead of the service's") || !strings.Contains(r.log.String(), "set this machine's clock") {
			t.Errorf("log does not tell about the clock: %s", r.log)
		}
	})
	t.Run("unknown key", func(t *testing.T) {
		r := newRig(t, appserver.Options{}, func(c *appserver.Config) { c.AccessKeyID = "LTAIunknown" })
		if a := r.get(t, nil); a.text("ErrorCode") != "InvalidAccessKeyId.NotFound" {
			t.Errorf("answer: %s", a.body)
		}
		if !strings.Contains(r.log.String(), "check AccessKeyID") {
			t.Errorf("log has no hint: %s", r.log)
		}
	})
}

func TestHealth(t *testing.T) {
	r := newRig(t, appserver.Options{}, nil)
	health := func(req *http.Request) { req.URL.Path = "/healthz" }
	check := func(want string) {
		t.Helper()
		if a := r.get(t, health); a.status != 200 || a.text("status") != "ok" || a.text("sts") != want {
			t.Errorf("HTTP %d: %s; want sts %q", a.status, a.body, want)
		}
	}
	check("unknown")
	r.sts.FailNext(1, "NoPermission")
	r.get(t, nil)
	check("NoPermission")
	if n := r.sts.Stats().Calls; n != 1 {
		t.Errorf("%d calls of STS, want none for health", n)
	}
}

func TestMountedBelowAPath(t *testing.T) {
	r := newRig(t, appserver.Options{}, nil)
	mux := http.NewServeMux()
	mux.Handle("/sts", http.StripPrefix("/sts", r.handler))
	w := newRecorder()
	req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/sts", nil)
	req.RemoteAddr = "127.0.0.1:1234"
	mux.ServeHTTP(w, req)
	if w.status != http.StatusOK || !strings.Contains(w.body.String(), "SecurityToken") {
		t.Errorf("HTTP %d: %s", w.status, w.body.String())
	}
}

func TestNewRefusesOptions(t *testing.T) {
	anyone := func(*http.Request) (appserver.Identity, error) { return appserver.Identity{}, nil }
	tests := []struct {
		name string
		opts appserver.Options
		text string
	}{
		{"origin with a path", appserver.Options{Origins: []string{"https://a.example/"}}, "want scheme and host"},
		{"origin without a scheme", appserver.Options{Origins: []string{"a.example"}}, "origin 1 of 1"},
		{"path without a slash", appserver.Options{Path: "sts"}, `"sts"`},
		{"path of health", appserver.Options{Path: "/healthz"}, "other than /healthz"},
		{"negative limit", appserver.Options{MaxBody: -1}, "MaxBody -1"},
		{"closed and open", appserver.Options{Authenticate: anyone, AllowAnyone: true}, "want one of them"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := appserver.New(config("http://127.0.0.1:1"), &tt.opts); err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
		})
	}
	if _, err := appserver.New(nil, nil); err == nil {
		t.Error("no configuration, no error")
	}
}
