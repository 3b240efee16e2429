package webupload_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/examples/webupload"
	"github.com/vodupload/vodupload/sts/appserver"
)

// sdk is a file that stands for the SDK, which is not there before npm was run.
func sdk(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sdk.js")
	if err := os.WriteFile(path, []byte("var OSS;"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newPage(t *testing.T, opts webupload.Options) http.Handler {
	t.Helper()
	opts.SDK = sdk(t)
	h, err := webupload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func request(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestFiles(t *testing.T) {
	h := newPage(t, webupload.Options{Endpoint: "oss-cn-hangzhou.aliyuncs.com", Bucket: "media"})
	tests := []struct {
		method, path string
		status       int
		kind, text   string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "<title>Upload media</title>"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/main.js", 200, "text/javascript; charset=utf-8", "begin("},
		{"GET", "/style.css", 200, "text/css; charset=utf-8", "progress"},
		{"GET", "/icon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/aliyun-oss-sdk.min.js", 200, "text/javascript; charset=utf-8", "var OSS;"},
		{"GET", "/config.json", 200, "application/json; charset=utf-8", `"bucket":"media"`},
		{"GET", "/package.json", 404, "", ""},
		{"GET", "/webupload.go", 404, "", ""},
		{"POST", "/config.json", 405, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			w := request(h, tt.method, tt.path)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) {
				t.Errorf("got %d %q; want %d and %q", w.Code, w.Body, tt.status, tt.text)
			}
			if kind := w.Header().Get("Content-Type"); tt.kind != "" && kind != tt.kind {
				t.Errorf("got type %q; want %q", kind, tt.kind)
			}
			want := "default-src 'self'; connect-src 'self' https://media.oss-cn-hangzhou.aliyuncs.com; object-src 'none'; " +
				"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
			if got := w.Header().Get("Content-Security-Policy"); got != want {
				t.Errorf("got policy %q; want %q", got, want)
			}
			if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("got X-Content-Type-Options %q; want nosniff", got)
			}
		})
	}
}

// Scripts in the markup are what the policy would keep from running.
func TestNoScriptInTheMarkup(t *testing.T) {
	page := request(newPage(t, webupload.Options{Endpoint: "localhost:9000", Bucket: "media"}), "GET", "/").Body.String()
	for _, text := range []string{"onclick=", "style=", "<style", "javascript:", "http://", "https://"} {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q in it", text)
		}
	}
	for _, tag := range strings.Split(page, "<script")[1:] {
		if !strings.HasPrefix(tag, ` src="`) || !strings.Contains(tag, "></script>") {
			t.Errorf("a script that is not a file: <script%.60s", tag)
		}
	}
}

func TestWhereFilesGo(t *testing.T) {
	tests := []struct {
		endpoint, region string
		custom           bool
		want             string // endpoint, path style, region, version 4, URL, origin
	}{
		{"oss-cn-hangzhou.aliyuncs.com", "", false, "https://oss-cn-hangzhou.aliyuncs.com virtual cn-hangzhou v4 https://media.oss-cn-hangzhou.aliyuncs.com/ https://media.oss-cn-hangzhou.aliyuncs.com"},
		{"oss-us-west-1-internal.aliyuncs.com", "", false, "https://oss-us-west-1-internal.aliyuncs.com virtual us-west-1 v4 https://media.oss-us-west-1-internal.aliyuncs.com/ https://media.oss-us-west-1-internal.aliyuncs.com"},
		{"oss-accelerate.aliyuncs.com", "", false, "https://oss-accelerate.aliyuncs.com virtual  v1 https://media.oss-accelerate.aliyuncs.com/ https://media.oss-accelerate.aliyuncs.com"},
		{"oss-accelerate.aliyuncs.com", "cn-beijing", false, "https://oss-accelerate.aliyuncs.com virtual cn-beijing v4 https://media.oss-accelerate.aliyuncs.com/ https://media.oss-accelerate.aliyuncs.com"},
		{"http://localhost:9000/", "", false, "http://localhost:9000 path  v1 http://localhost:9000/media/ http://localhost:9000"},
		{"http://[::1]:9000", "", false, "http://[::1]:9000 path  v1 http://[::1]:9000/media/ http://[::1]:9000"},
		{"media.example.com", "cn-hangzhou", true, "https://media.example.com custom cn-hangzhou v4 https://media.example.com/ https://media.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.endpoint+" "+tt.region, func(t *testing.T) {
			h := newPage(t, webupload.Options{Endpoint: tt.endpoint, Region: tt.region, CustomDomain: tt.custom, Bucket: "media"})
			w := request(h, "GET", "/config.json")
			var c struct {
				Settings struct {
					Endpoint, Region string
					SLDEnable, CNAME bool
					AuthorizationV4  bool
				}
				URL                string
				Parallel, PartSize int
				Token              string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			style, version := "virtual", "v1"
			if c.Settings.SLDEnable {
				style = "path"
			}
			if c.Settings.CNAME {
				style = "custom"
			}
			if c.Settings.AuthorizationV4 {
				version = "v4"
			}
			_, origin, _ := strings.Cut(w.Header().Get("Content-Security-Policy"), "connect-src 'self' ")
			origin, _, _ = strings.Cut(origin, ";")
			got := strings.Join([]string{c.Settings.Endpoint, style, c.Settings.Region, version, c.URL, origin}, " ")
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if c.Parallel != 5 || c.PartSize != 1<<20 || c.Token != "/" {
				t.Errorf("defaults: got %d parts of %d bytes, token at %q", c.Parallel, c.PartSize, c.Token)
			}
		})
	}
}

func TestConfigIsForThoseWhoMayUpload(t *testing.T) {
	answers := map[string]error{"a": appserver.ErrUnauthenticated, "b": appserver.ErrForbidden, "c": errors.New("the database is down"), "d": nil}
	h := newPage(t, webupload.Options{Endpoint: "localhost", Bucket: "media", Prefix: "in/",
		Authenticate: func(r *http.Request) (appserver.Identity, error) {
			return appserver.Identity{ObjectPrefix: "alice/"}, answers[r.Header.Get("Authorization")]
		}})
	for who, status := range map[string]int{"a": 401, "b": 403, "c": 500, "d": 200} {
		w := request(h, "GET", "/config.json", "Authorization", who)
		if w.Code != status || strings.Contains(w.Body.String(), `"in/alice/"`) != (status == 200) || strings.Contains(w.Body.String(), "database") {
			t.Errorf("%s: got %d %s; want %d", who, w.Code, w.Body, status)
		}
		if w.Header().Get("WWW-Authenticate") != "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got headers %v; want no question by the browser, and nothing kept", who, w.Header())
		}
	}
}

func TestWrongOptions(t *testing.T) {
	good := webupload.Options{Endpoint: "localhost:9000", Bucket: "media", SDK: sdk(t)}
	tests := []struct {
		name string
		edit func(*webupload.Options)
		want string
	}{
		{"no endpoint", func(o *webupload.Options) { o.Endpoint = "" }, "Endpoint is empty"},
		{"an endpoint with a path", func(o *webupload.Options) { o.Endpoint = "http://localhost/x" }, "Endpoint"},
		{"an endpoint of another scheme", func(o *webupload.Options) { o.Endpoint = "ftp://localhost" }, "Endpoint"},
		{"an endpoint that would end the header's part", func(o *webupload.Options) { o.Endpoint = "localhost;script-src" }, "Endpoint"},
		{"an endpoint with a password", func(o *webupload.Options) { o.Endpoint = "http://u:secret@localhost" }, "Endpoint"},
		{"no bucket", func(o *webupload.Options) { o.Bucket = "" }, "Bucket"},
		{"a prefix without a slash", func(o *webupload.Options) { o.Prefix = "in" }, `Prefix is "in"`},
		{"a token server elsewhere", func(o *webupload.Options) { o.Token = "//evil.example" }, "Token"},
		{"small parts", func(o *webupload.Options) { o.PartSize = 1 }, "PartSize is 1"},
		{"large parts", func(o *webupload.Options) { o.PartSize = 1 << 30 }, "PartSize"},
		{"too many requests", func(o *webupload.Options) { o.Parallel = 7 }, "Parallel is 7"},
		{"no SDK", func(o *webupload.Options) { o.SDK = "nowhere.js" }, `nowhere.js: run "npm ci" in examples/webupload`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := good
			tt.edit(&o)
			_, err := webupload.New(&o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v; want an error with %q", err, tt.want)
			}
		})
	}
	if _, err := webupload.New(nil); err == nil {
		t.Error("nil options: got no error")
	}
}
