package appserver_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts/appserver"
)

func TestCORS(t *testing.T) {
	from := func(origin string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Origin", origin) }
	}
	tests := []struct {
		name    string
		origins []string
		origin  string
		status  int
		allow   string
	}{
		{"no origin", nil, "", 200, ""},
		{"listed", []string{"https://a.example", "https://b.example"}, "https://b.example", 200, "https://b.example"},
		{"not listed", []string{"https://a.example"}, "https://evil.example", 403, ""},
		{"none allowed by default", nil, "https://a.example", 403, ""},
		{"all", []string{"*"}, "https://evil.example", 200, "*"},
		{"page from a file", []string{"null"}, "null", 200, "null"},
		{"page from a file, not listed", []string{"https://a.example"}, "null", 403, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, appserver.Options{Origins: tt.origins}, nil)
			a := r.get(t, from(tt.origin))
			if a.status != tt.status || a.header.Get("Access-Control-Allow-Origin") != tt.allow || a.header.Get("Vary") != "Origin" {
				t.Errorf("HTTP %d, %v; want %d, %q", a.status, a.header, tt.status, tt.allow)
			}
			if tt.status == 403 && a.text("SecurityToken") != "" {
				t.Error("a page that may not ask got a token")
			}
			a = r.get(t, func(req *http.Request) {
				req.Method = http.MethodOptions
				req.Header.Set("Origin", tt.origin)
				req.Header.Set("Access-Control-Request-Method", "GET")
				req.Header.Set("Access-Control-Request-Headers", "authorization")
				req.Header.Set("Access-Control-Request-Private-Network", "true")
			})
			if tt.status == 403 && a.status != 403 || tt.status == 200 && (a.status != 204 ||
				a.header.Get("Access-Control-Allow-Methods") != "GET, POST" ||
				a.header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type" ||
				a.header.Get("Access-Control-Allow-Private-Network") != "true") {
				t.Errorf("preflight: HTTP %d, %v", a.status, a.header)
			}
		})
	}
	t.Run("the server's own pages", func(t *testing.T) {
		r := newRig(t, appserver.Options{}, nil)
		if a := r.get(t, from(r.url)); a.status != 200 {
			t.Errorf("HTTP %d: %s", a.status, a.body)
		}
	})
}

func TestJSONP(t *testing.T) {
	with := func(callback string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery = "callback=" + callback }
	}
	on := newRig(t, appserver.Options{JSONP: true}, nil)
	t.Run("switched on", func(t *testing.T) {
		a := on.get(t, with("app.gotToken_1"))
		body, ok := strings.CutPrefix(a.body, "/**/app.gotToken_1( ")
		body, end := strings.CutSuffix(body, " );")
		var out map[string]any
		if err := json.Unmarshal([]byte(body), &out); err != nil || !ok || !end || out["StatusCode"] != 200.0 {
			t.Errorf("HTTP %d: %s, %v", a.status, a.body, err)
		}
		if got := a.header.Get("Content-Type"); got != "application/javascript; charset=utf-8" {
			t.Errorf("Content-Type = %q", got)
		}
	})
	t.Run("failures reach the page", func(t *testing.T) {
		r := newRig(t, appserver.Options{JSONP: true, HTTPStatus: true}, nil)
		r.sts.FailNext(1, "NoPermission")
		if a := r.get(t, with("cb")); a.status != 200 || !strings.HasPrefix(a.body, "/**/cb( ") || !strings.Contains(a.body, "NoPermission") {
			t.Errorf("HTTP %d: %s", a.status, a.body)
		}
	})
	for _, bad := range []string{"alert(1)", "a-b", "1a", "a..b", ".a", "a.", "%3Cscript%3E", "a%0Ab", "a%E2%80%A8", strings.Repeat("a", 129)} {
		if a := on.get(t, with(bad)); a.status != 400 || a.text("ErrorCode") != "InvalidCallback" {
			t.Errorf("callback %s: HTTP %d: %s", bad, a.status, a.body)
		}
	}
	t.Run("pages of other origins", func(t *testing.T) {
		listed := newRig(t, appserver.Options{JSONP: true, Origins: []string{"https://a.example"}}, nil)
		all := newRig(t, appserver.Options{JSONP: true, Origins: []string{"*"}}, nil)
		tests := []struct {
			name    string
			r       *rig
			site    string
			referer string
			status  int
		}{
			{"any page", on, "cross-site", "https://evil.example/x", 403},
			{"any page that hides", on, "cross-site", "", 403},
			{"any page, old browser", on, "", "https://evil.example/x", 403},
			{"another port", on, "same-site", "http://127.0.0.1:1/", 403},
			{"its own page", on, "same-origin", "", 200},
			{"its own page, old browser", on, "", on.url + "/page", 200},
			{"a listed page", listed, "cross-site", "https://a.example/page?x", 200},
			{"a page that is not listed", listed, "cross-site", "https://a.example.evil.example/", 403},
			{"a listed page that hides", listed, "cross-site", "", 403},
			{"all pages", all, "cross-site", "", 200},
		}
		for _, tt := range tests {
			a := tt.r.get(t, func(req *http.Request) {
				with("cb")(req)
				if tt.site != "" {
					req.Header.Set("Sec-Fetch-Site", tt.site)
				}
				if tt.referer != "" {
					req.Header.Set("Referer", tt.referer)
				}
			})
			if a.status != tt.status || tt.status == 403 && (strings.Contains(a.body, "cb(") || a.text("ErrorCode") != "OriginNotAllowed") {
				t.Errorf("%s: HTTP %d: %s; want %d", tt.name, a.status, a.body, tt.status)
			}
		}
	})
	t.Run("switched off by default", func(t *testing.T) {
		r := newRig(t, appserver.Options{}, nil)
		if a := r.get(t, with("cb")); a.status != 400 || a.text("ErrorCode") != "JSONPNotAllowed" {
			t.Errorf("HTTP %d: %s", a.status, a.body)
		}
	})
}
