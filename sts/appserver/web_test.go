package appserver_test

import (
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

func TestNoAnswerIsAScript(t *testing.T) {
	r := newRig(t, appserver.Options{}, nil)
	a := r.get(t, func(r *http.Request) { r.URL.RawQuery = "callback=cb" })
	if a.status != 200 || strings.Contains(a.body, "cb(") || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") ||
		a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("HTTP %d, %v: %s; want JSON that no browser runs", a.status, a.header, a.body)
	}
}
