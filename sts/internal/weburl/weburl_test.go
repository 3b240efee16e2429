package weburl

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, text := range []string{
		"https://app.example.com", "http://127.0.0.1:7080/sts?user=1", "https://me:pass%23word@app.example.com/sts",
		"https://[::1]:7080/", " https://app.example.com/\n", "https://app.example.com/?mail=me@example.com", "HTTPS://app.example.com/",
	} {
		if u, err := Parse(text); err != nil || u.Hostname() == "" {
			t.Errorf("%s: got %v, %v", text, u, err)
		}
	}
	for _, text := range []string{
		"https://admin:hunter2#@host/", "https://admin:hunter2/@host/", "https://admin:hunter2?@host/", "https://admin:hunter2%@host/",
		"https://admin:12345#@host/", "https://admin:12345/@host/", "https://admin:12345?@host/", "https://admin:hunter2 @host/",
		"https://admin:hunter2\n@host/", "https://[hunter2@host/", "admin:hunter2@host", "hunter2://host", "https://:hunter2@/", "//hunter2@host",
		"https://", "", "host", "https:/host", "https://host/#12345",
	} {
		_, err := Parse(text)
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "12345") {
			t.Errorf("%q: error = %v, want one that shows nothing", text, err)
		}
	}
}

// What net/http says of what it cannot reach is told without what it was asked for.
func TestWithout(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusFound)
	}))
	defer srv.Close()
	get := func(proxy, address string) error {
		transport := &http.Transport{DisableKeepAlives: true}
		if proxy != "" {
			// The words of golang.org/x/net/http/httpproxy.
			transport.Proxy = func(*http.Request) (*url.URL, error) {
				_, err := url.Parse(proxy)
				return nil, errors.New(`invalid proxy address "` + proxy + `": ` + err.Error())
			}
		}
		resp, err := (&http.Client{Transport: transport}).Get(address)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	for name, err := range map[string]error{
		"nobody listens":            get("", "http://me:hunter2@127.0.0.1:1/?token=hunter2"),
		"proxy with a bad password": get("http://me:hunter2#@proxy", srv.URL),
		"proxy with a bad escape":   get("http://me:hunter2%@proxy", srv.URL),
		"redirect to no URL":        get("", srv.URL+"?to=http://h:hunter2%2525%25/"),
		"redirect to another kind":  get("", srv.URL+"?to=ftp://host/hunter2"),
		"redirect to nobody":        get("", srv.URL+"?to=http://me:hunter2@127.0.0.1:1/hunter2"),
	} {
		if err == nil || !strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error = %v, want one that shows the secret, or this tests nothing", name, err)
		}
		if got := Without(err); got == nil || strings.Contains(got.Error(), "hunter2") {
			t.Errorf("%s: error = %v", name, got)
		}
	}
}

func TestHide(t *testing.T) {
	cause := errors.New("login at https://host/?password=hunter2 failed")
	if got := Hide(cause); got.Error() != "login at [URL] failed" || !errors.Is(got, cause) {
		t.Errorf("got %v", got)
	}
	plain := errors.New("signed out")
	if got := Hide(plain); got != plain || Hide(nil) != nil || Without(nil) != nil {
		t.Errorf("got %v, want the error itself", got)
	}
}

// What url.Parse quotes of a password.
func TestHideWhatParseQuotes(t *testing.T) {
	for _, u := range []string{"http://me:hunter2#@h", "http://me:p%hunter2@h", "http://me:p%hu@h", "http://h%zz", "http://me:pw@h\\u", "http://me@h:pw"} {
		_, err := url.Parse(u)
		if err == nil {
			t.Fatalf("%s is a URL: it tests nothing", u)
		}
		got := Hide(err).Error()
		for _, part := range []string{"hunter2", "%hu", "%zz", `"\\"`, `":pw"`} {
			if strings.Contains(got, part) {
				t.Errorf("%s: %s", u, got)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"https://a:b@c/d?e=f#g", "http://[::1]:80", "https://admin:hunter2#@host/", "\x00", "https://%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse(text)
		const shortest = 8 // less may be in the words of the error
		if err != nil && len(text) >= shortest && strings.Contains(err.Error(), text) {
			t.Errorf("the error shows the text: %v", err)
		}
		if err == nil && (u.Host == "" || strings.Contains(Bare(u), "#")) {
			t.Errorf("%q: got %+v", text, u)
		}
	})
}
