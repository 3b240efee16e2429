package appserver_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts/appserver"
)

const aliceToken = "token-of-alice-1234567890"

func bearer(t *testing.T) func(*http.Request) (appserver.Identity, error) {
	t.Helper()
	auth, err := appserver.Bearer(map[string]appserver.Identity{
		aliceToken: {Name: "alice", ObjectPrefix: "alice/"}, "token-of-bob-1234567890": {Name: "bob", ObjectPrefix: "bob/"}})
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// serveFrom asks the handler itself, as if from an address.
func serveFrom(h http.Handler, address string, edit func(*http.Request)) int {
	w := newRecorder()
	r, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1:7080/", nil)
	r.RemoteAddr = address
	if edit != nil {
		edit(r)
	}
	h.ServeHTTP(w, r)
	return w.status
}

func TestGuessesAreThrottled(t *testing.T) {
	const n, burst = 2000, 100
	r := newRig(t, appserver.Options{Authenticate: bearer(t)}, nil)
	count := func(ask func(i int) bool) (throttled int) {
		for i := range n {
			if ask(i) {
				throttled++
			}
		}
		return throttled
	}
	guess := func(i int) func(*http.Request) { return withToken(fmt.Sprintf("guess-number-%012d", i)) }
	tokens := count(func(i int) bool { return serveFrom(r.handler, "192.0.2.1:1", guess(i)) == http.StatusTooManyRequests })
	if tokens == 0 {
		t.Error("no guess at the token was throttled")
	}
	identities := count(func(i int) bool {
		req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1:7080/config.json", nil)
		req.RemoteAddr = "192.0.2.1:2"
		guess(i)(req)
		_, err := r.handler.Identify(req)
		return errors.Is(err, appserver.ErrThrottled)
	})
	if identities == 0 {
		t.Error("no guess at Identify was throttled")
	}
	lines := strings.Count(r.log.String(), "request refused")
	if refused := 2*n - tokens - identities; lines < refused || lines > refused+60 || refused < burst {
		t.Errorf("%d lines in the log for %d requests that were refused and %d that were throttled; want one for each refused one, and one a second",
			lines, refused, tokens+identities)
	}
	if !strings.Contains(r.log.String(), "remote=192.0.2.1") {
		t.Error("the log lacks the address")
	}

	t.Run("who has a token is served at the same address", func(t *testing.T) {
		if got := serveFrom(r.handler, "192.0.2.1:3", withToken(aliceToken)); got != 200 {
			t.Errorf("HTTP %d, want 200", got)
		}
	})
	t.Run("other addresses are not throttled", func(t *testing.T) {
		if got := serveFrom(r.handler, "192.0.2.2:1", guess(0)); got != 401 {
			t.Errorf("HTTP %d, want 401", got)
		}
	})
	t.Run("other addresses of the same network of version 6 are", func(t *testing.T) {
		last := 0
		for i := range n {
			last = serveFrom(r.handler, fmt.Sprintf("[2001:db8::%x]:1", i+1), guess(i))
			if last == 429 {
				break
			}
		}
		if last != 429 {
			t.Errorf("HTTP %d after %d guesses, want 429", last, n)
		}
	})
}

func TestOneIdentityIsThrottledAlone(t *testing.T) {
	r := newRig(t, appserver.Options{Authenticate: bearer(t), Rate: 1}, nil)
	var got []int
	for range 4 {
		got = append(got, r.get(t, withToken(aliceToken)).status)
	}
	if got[0] != 200 || got[3] != 429 {
		t.Errorf("statuses %v, want 200 first and 429 last", got)
	}
	if a := r.get(t, withToken("token-of-bob-1234567890")); a.status != 200 {
		t.Errorf("another at the same address: HTTP %d", a.status)
	}
	if got := serveFrom(r.handler, "192.0.2.9:1", withToken(aliceToken)); got != 429 {
		t.Errorf("the same at another address: HTTP %d, want 429", got)
	}
	if !strings.Contains(r.log.String(), "identity=alice") {
		t.Error("the log does not say who is throttled")
	}
}

func TestAddressBehindProxies(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	tests := []struct {
		name, remote, forwarded, want string
		proxies                       []netip.Prefix
	}{
		{"none", "192.0.2.1:5", "", "192.0.2.1", proxies},
		{"header of a client", "192.0.2.1:5", "198.51.100.1", "192.0.2.1", proxies},
		{"no proxy is known", "10.0.0.1:5", "198.51.100.1", "10.0.0.1", nil},
		{"one", "10.0.0.1:5", "198.51.100.1", "198.51.100.1", proxies},
		{"one, and what the client made up", "10.0.0.1:5", "1.1.1.1, 198.51.100.1", "198.51.100.1", proxies},
		{"two", "10.0.0.1:5", "198.51.100.1, 10.0.0.2", "198.51.100.1", proxies},
		{"with a port", "10.0.0.1:5", "[2001:db8::1]:443", "2001:db8::1", proxies},
		{"nonsense", "10.0.0.1:5", "unknown", "10.0.0.1", proxies},
		{"no header", "10.0.0.1:5", "", "10.0.0.1", proxies},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, appserver.Options{Authenticate: bearer(t), Proxies: tt.proxies}, nil)
			serveFrom(r.handler, tt.remote, func(req *http.Request) {
				if tt.forwarded != "" {
					req.Header.Set("X-Forwarded-For", tt.forwarded)
				}
			})
			if !strings.Contains(r.log.String(), "remote="+tt.want+" ") {
				t.Errorf("log has another address than %s: %s", tt.want, r.log)
			}
		})
	}
}

func TestIdentify(t *testing.T) {
	r := newRig(t, appserver.Options{Authenticate: bearer(t)}, nil)
	ask := func(edit func(*http.Request)) (appserver.Identity, error) {
		req, _ := http.NewRequest(http.MethodGet, "http://upload.example.com/upload/config.json", nil)
		req.RemoteAddr = "192.0.2.1:1"
		edit(req)
		return r.handler.Identify(req)
	}
	if who, err := ask(withToken(aliceToken)); err != nil || who.Name != "alice" {
		t.Errorf("got %+v, %v", who, err)
	}
	if _, err := ask(withToken("another-token-of-nobody")); !errors.Is(err, appserver.ErrUnauthenticated) {
		t.Errorf("another token: %v", err)
	}
	if _, err := ask(func(r *http.Request) {
		withToken(aliceToken)(r)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://evil.example")
	}); !errors.Is(err, appserver.ErrForbidden) {
		t.Errorf("page of another site: %v", err)
	}
	local := newRig(t, appserver.Options{}, nil)
	req, _ := http.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	req.RemoteAddr = "192.0.2.1:1"
	if _, err := local.handler.Identify(req); !errors.Is(err, appserver.ErrForbidden) {
		t.Errorf("another machine without Authenticate: %v", err)
	}
	req.RemoteAddr = "127.0.0.1:1"
	if _, err := local.handler.Identify(req); err != nil {
		t.Errorf("this machine: %v", err)
	}
}

func TestHostsAndSites(t *testing.T) {
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	site := func(kind, origin string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", kind)
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
		}
	}
	const page = "https://a.example"
	open := newRig(t, appserver.Options{AllowAnyone: true, Origins: []string{page}, Hosts: []string{"upload.example.com"}}, nil)
	closed := newRig(t, appserver.Options{}, nil)
	known := newRig(t, appserver.Options{Authenticate: func(*http.Request) (appserver.Identity, error) { return appserver.Identity{}, nil }}, nil)
	strict := newRig(t, appserver.Options{Hosts: []string{"upload.example.com"},
		Authenticate: func(*http.Request) (appserver.Identity, error) { return appserver.Identity{}, nil }}, nil)
	tests := []struct {
		name   string
		r      *rig
		edit   func(*http.Request)
		status int
		code   string
	}{
		{"address", open, host("192.0.2.1:7080"), 200, ""},
		{"address of version 6", open, host("[2001:db8::1]:7080"), 200, ""},
		{"listed name", open, host("Upload.example.com.:7080"), 200, ""},
		{"another name", open, host("evil.example:7080"), 403, "HostNotAllowed"},
		{"a longer name", open, host("upload.example.com.evil.example"), 403, "HostNotAllowed"},
		{"another name, by default", closed, host("evil.example"), 403, "HostNotAllowed"},
		{"any name with a secret", known, host("upload.example.com"), 200, ""},
		{"another name than the listed one with a secret", strict, host("evil.example"), 403, "HostNotAllowed"},
		{"script on another site", open, site("cross-site", ""), 403, "OriginNotAllowed"},
		{"script on a neighbour", open, site("same-site", ""), 403, "OriginNotAllowed"},
		{"script on another site, as no browser writes it", open, site("Cross-Site", ""), 403, "OriginNotAllowed"},
		{"script on a site of a kind that is not known", open, site("same-device", ""), 403, "OriginNotAllowed"},
		{"listed page of another site", open, site("cross-site", page), 200, ""},
		{"page that is not listed", open, site("cross-site", "https://evil.example"), 403, "OriginNotAllowed"},
		{"page of its own", open, site("same-origin", ""), 200, ""},
		{"typed in", open, site("none", ""), 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.r.get(t, tt.edit)
			if a.status != tt.status || a.text("ErrorCode") != tt.code || a.text("SecurityToken") == "" != (tt.status != 200) {
				t.Errorf("HTTP %d: %s; want %d %s", a.status, a.body, tt.status, tt.code)
			}
			if got := a.header.Get("Cross-Origin-Resource-Policy"); got != "same-origin" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("header %v", a.header)
			}
			if strings.Contains(tt.name, "listed page") || strings.Contains(tt.name, "page that is not listed") {
				return // health has no CORS
			}
			a = tt.r.get(t, func(r *http.Request) { tt.edit(r); r.URL.Path = "/healthz" })
			if a.status != tt.status || a.text("status") == "ok" != (tt.status == 200) {
				t.Errorf("health: HTTP %d: %s; want %d", a.status, a.body, tt.status)
			}
		})
	}
}
