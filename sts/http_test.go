package sts_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// appServer answers every request with the same thing.
func appServer(t *testing.T, status int, body string, header ...string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func newHTTP(t *testing.T, url string, opts *sts.HTTPOptions) *sts.HTTPProvider {
	t.Helper()
	p, err := sts.NewHTTP(url, opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// expand fills in the test's credentials: ID, SECRET, TOKEN and TIME, quoted.
func expand(body string) string {
	return strings.NewReplacer("ID", `"`+testCredentials.AccessKeyID+`"`, "SECRET", `"`+testSecret+`"`,
		"TOKEN", `"`+testToken+`"`, "TIME", `"2126-03-04T05:06:07Z"`).Replace(body)
}

func TestHTTPReadsEveryFormOfSuccess(t *testing.T) {
	want := testCredentials
	want.Expiration = time.Date(2126, 3, 4, 5, 6, 7, 0, time.UTC)
	unknown := want
	unknown.Expiration = time.Time{}
	const four = `"AccessKeyId":ID,"AccessKeySecret":SECRET,"SecurityToken":TOKEN,"Expiration":TIME`
	tests := []struct {
		name, body string
		want       sts.Credentials
	}{
		{"Java, old: status as text", `{"status":"200",` + four + `}`, want},
		{"Java, new: StatusCode as text", `{"StatusCode":"200",` + four + `}`, want},
		{"PHP, old: status as a number", `{"status":200,` + four + `}`, want},
		{"PHP, new: StatusCode as a number", `{"StatusCode":200,` + four + `}`, want},
		{"Node: no status", `{` + four + `}`, want},
		{"document: Security", `{"status":200,"AccessKeyId":ID,"AccessKeySecret":SECRET,"Security":TOKEN,"Expiration":TIME}`, want},
		{"both names of the token", `{"status":200,` + four + `,"Security":TOKEN}`, want},
		{"VOD web demo: nested", `{"SecurityTokenInfo":{` + four + `}}`, want},
		{"STS passed on", `{"RequestId":"x","AssumedRoleUser":{"Arn":"a"},"Credentials":{` + four + `}}`, want},
		{"other case", `{"accessKeyid":ID,"accessKeySecret":SECRET,"securityToken":TOKEN,"expiration":TIME}`, want},
		{"both statuses", `{"status":200,"StatusCode":"200",` + four + `,"ErrorCode":"","ErrorMessage":""}`, want},
		{"null status and unknown fields", `{"status":null,"code":0,"extra":{"a":[1]},` + four + `}`, want},
		{"time with an offset", `{` + strings.Replace(four, "TIME", `"2126-03-04T13:06:07+08:00"`, 1) + `}`, want},
		{"no expiration", `{"AccessKeyId":ID,"AccessKeySecret":SECRET,"SecurityToken":TOKEN}`, unknown},
		{"byte order mark and white space", "\xef\xbb\xbf\r\n {" + four + "}\n", want},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := newHTTP(t, appServer(t, http.StatusOK, expand(tt.body)), nil).Credentials(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %v, %t, %t; want %v", got, got.AccessKeySecret == tt.want.AccessKeySecret,
					got.SecurityToken == tt.want.SecurityToken, tt.want)
			}
		})
	}
}

func TestHTTPReadsEveryFormOfRefusal(t *testing.T) {
	const empty = `"AccessKeyId":"","AccessKeySecret":"","SecurityToken":"","Expiration":""`
	const request = "6894B13B-6D71-4EF5-88FA-F32781734A7F"
	tests := []struct {
		name      string
		status    int
		body      string
		code      string
		message   string
		requestID string
	}{
		{"Java, old: the code as status", 200, `{"status":"NoPermission",` + empty + `}`, "NoPermission", "", ""},
		{"Java, new", 200, `{"StatusCode":"500","ErrorCode":"EntityNotExist.Role","ErrorMessage":"The specified Role not exists."}`,
			"EntityNotExist.Role", "The specified Role not exists.", ""},
		{"PHP, old: the HTTP status of STS", 200, `{"status":403,` + empty + `}`, "", "status 403", ""},
		{"PHP, new", 200, `{"StatusCode":500,"ErrorCode":"NoPermission","ErrorMessage":"You are not authorized."}`,
			"NoPermission", "You are not authorized.", ""},
		{"Java, new: plain text", 200, "./config.json is empty or not found", "", "./config.json is empty or not found", ""},
		{"Node: a JSON string", 400, `"The specified parameter is wrong."`, "", "The specified parameter is wrong.", ""},
		{"Ruby: a page of status 500", 500, "<h1>Internal Server Error</h1>", "", "", ""},
		{"ours", 200, `{"StatusCode":500,"status":500,"ErrorCode":"Throttling.User","ErrorMessage":"later","RequestId":"` + request + `",` + empty + `}`,
			"Throttling.User", "later", request},
		{"error of STS passed on", 403, `{"RequestId":"` + request + `","HostId":"h","Code":"NoPermission","Message":"No."}`,
			"NoPermission", "No.", request},
		{"error of STS passed on with status 200", 200, `{"Code":"NoPermission","Message":"No."}`, "NoPermission", "No.", ""},
		{"HTTP status alone", 401, `{}`, "", "Unauthorized", ""},
		{"HTTP status beats a good status", 500, `{"status":200,` + empty + `}`, "", "Internal Server Error", ""},
		{"statuses that differ", 200, `{"status":200,"StatusCode":500,` + empty + `}`, "", "status 500", ""},
		{"code that looks like words stays", 200, `{"StatusCode":500,"ErrorCode":"SignatureDoesNotMatch"}`, "SignatureDoesNotMatch", "", ""},
		{"secrets in messages are redacted", 400, "key " + testSecret + " token " + testToken, "", "key [redacted] token [redacted]", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := appServer(t, tt.status, tt.body, "Retry-After", "7")
			_, err := newHTTP(t, url+"/sts?key="+testSecret, nil).Credentials(t.Context())
			var e *sts.AppServerError
			if !errors.As(err, &e) {
				t.Fatalf("error = %v, want an AppServerError", err)
			}
			if e.Status != tt.status || e.Code != tt.code || e.Message != tt.message || e.RequestID != tt.requestID {
				t.Errorf("got %+v, want code %q, message %q, request ID %q", e, tt.code, tt.message, tt.requestID)
			}
			if e.RetryAfter != 7*time.Second {
				t.Errorf("RetryAfter = %v, want 7s", e.RetryAfter)
			}
			for _, part := range []string{url + "/sts", tt.code, tt.requestID, fmt.Sprintf("HTTP %d", tt.status)} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
			noSecrets(t, "error", fmt.Sprintf("%v %+v %#v", err, e, e))
		})
	}
}

func TestHTTPUnreadableAnswers(t *testing.T) {
	tests := []struct{ name, body, text string }{
		{"empty", "", "the answer is empty"},
		{"page", "<!DOCTYPE html>", "HTML or XML"},
		{"cut short", `{"AccessKeyId":ID,"AccessKeySecret":SECRET,"Secur`, "not JSON from byte"},
		{"two objects", `{} {}`, "not JSON from byte"},
		{"no ID", `{"status":200,"AccessKeySecret":SECRET,"SecurityToken":TOKEN}`, "AccessKeyId is missing"},
		{"no secret", `{"status":200,"AccessKeyId":ID,"SecurityToken":TOKEN}`, "AccessKeySecret is missing"},
		{"a key without a token", `{"status":200,"AccessKeyId":ID,"AccessKeySecret":SECRET}`, "SecurityToken is missing"},
		{"nothing", `{"status":200}`, "AccessKeyId is missing"},
		{"field of another type", `{"AccessKeyId":ID,"AccessKeySecret":{"x":SECRET}}`, "AccessKeySecret is missing"},
		{"status of another type", `{"status":[200]}`, "AccessKeyId is missing"},
		{"too long", `{"status":"` + strings.Repeat("x", 70_000) + `"}`, "more than 65536 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newHTTP(t, appServer(t, http.StatusOK, expand(tt.body)), nil).Credentials(t.Context())
			var e *sts.AppServerError
			if !errors.As(err, &e) || !errors.Is(err, sts.ErrAnswer) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want ErrAnswer with %q", err, tt.text)
			}
			noSecrets(t, "error", fmt.Sprintf("%v %+v", err, e))
		})
	}
}

func TestHTTPClocks(t *testing.T) {
	answer := func(expires time.Time) string {
		return expand(`{"AccessKeyId":ID,"AccessKeySecret":SECRET,"SecurityToken":TOKEN,"Expiration":"` +
			expires.UTC().Format(time.RFC3339) + `"}`)
	}
	date := func(at time.Time) string { return at.UTC().Format(http.TimeFormat) }
	now := time.Now()

	t.Run("this machine's clock is ahead: good for ten minutes, and the expiration stays", func(t *testing.T) {
		there := now.Add(-2 * time.Hour)
		url := appServer(t, 200, answer(there.Add(15*time.Minute)), "Date", date(there))
		c, err := newHTTP(t, url, nil).Credentials(t.Context())
		if left := time.Until(c.Deadline()); err != nil || left < 9*time.Minute || left > 10*time.Minute || c.Expiration.After(now) {
			t.Errorf("token lives for %v by this clock, until %v by the other, %v; want 10 minutes", left, c.Expiration, err)
		}
	})
	t.Run("this machine's clock is behind: over by the app server's", func(t *testing.T) {
		there := now.Add(10 * time.Minute)
		expires := there.Add(15 * time.Minute).Truncate(time.Second)
		url := appServer(t, 200, answer(expires), "Date", date(there))
		c, err := newHTTP(t, url, nil).Credentials(t.Context())
		if left := time.Until(c.Deadline()); err != nil || left < 14*time.Minute || left > 16*time.Minute || !c.Expiration.Equal(expires) {
			t.Errorf("token lives for %v by this clock, until %v by the other, %v; want 15 minutes", left, c.Expiration, err)
		}
	})
	t.Run("app server's clock is behind: not good for longer", func(t *testing.T) {
		expires := now.Add(15 * time.Minute).Truncate(time.Second)
		url := appServer(t, 200, answer(expires), "Date", date(now.Add(-10*time.Minute)))
		if c, err := newHTTP(t, url, nil).Credentials(t.Context()); err != nil || !c.Deadline().Equal(expires) {
			t.Errorf("deadline %v, %v; want %v", c.Deadline(), err, expires)
		}
	})
	t.Run("token that was over when it was given: ErrExpired", func(t *testing.T) {
		url := appServer(t, 200, answer(now.Add(-time.Minute)), "Date", date(now))
		_, err := newHTTP(t, url, nil).Credentials(t.Context())
		if !errors.Is(err, sts.ErrExpired) || !strings.Contains(err.Error(), "by this machine's clock") {
			t.Errorf("error = %v, want ErrExpired and the clock", err)
		}
	})
	t.Run("app server's clock is off: this machine's decides", func(t *testing.T) {
		expires := now.Add(15 * time.Minute).Truncate(time.Second)
		url := appServer(t, 200, answer(expires), "Date", date(now.Add(time.Hour)))
		if c, err := newHTTP(t, url, nil).Credentials(t.Context()); err != nil || !c.Expiration.Equal(expires) {
			t.Errorf("got %v, %v; want the expiration as it was given", c, err)
		}
	})
}

func TestHTTPSendsWhatPrepareAdds(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != method || r.Header.Get("Authorization") != "Bearer me" || r.Header.Get("Accept") != "application/json" ||
				r.URL.RawQuery != "user=1" {
				t.Errorf("got %s %s %v", r.Method, r.URL, r.Header)
			}
			fmt.Fprint(w, expand(`{"AccessKeyId":ID,"AccessKeySecret":SECRET,"SecurityToken":TOKEN,"Expiration":TIME}`))
		}))
		p := newHTTP(t, srv.URL+"/sts?user=1", &sts.HTTPOptions{Method: method, Prepare: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer me")
			return nil
		}})
		if _, err := p.Credentials(t.Context()); err != nil {
			t.Error(err)
		}
		srv.Close()
	}
	t.Run("its error", func(t *testing.T) {
		signedOut := errors.New("signed out")
		p := newHTTP(t, "http://127.0.0.1:1", &sts.HTTPOptions{Prepare: func(*http.Request) error { return signedOut }})
		if _, err := p.Credentials(t.Context()); !errors.Is(err, signedOut) {
			t.Errorf("error = %v, want that of Prepare", err)
		}
	})
}

func TestHTTPRedirects(t *testing.T) {
	good := expand(`{"AccessKeyId":ID,"AccessKeySecret":SECRET,"SecurityToken":TOKEN,"Expiration":TIME}`)
	other := appServer(t, 200, good)
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, good) })
	for from, to := range map[string]string{"/here": "/good", "/away": other, "/loop": "/loop"} {
		mux.Handle(from, http.RedirectHandler(to, http.StatusFound))
	}
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for path, text := range map[string]string{"/here": "", "/away": "to another host", "/loop": "after 3 redirects"} {
		_, err := newHTTP(t, srv.URL+path, nil).Credentials(t.Context())
		if text == "" && err != nil || text != "" && (err == nil || !strings.Contains(err.Error(), text)) {
			t.Errorf("%s: error = %v, want %q", path, err, text)
		}
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/plain", http.StatusFound)
	}))
	defer secure.Close()
	_, err := newHTTP(t, secure.URL, &sts.HTTPOptions{HTTPClient: secure.Client()}).Credentials(t.Context())
	if err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("error = %v, want one about https", err)
	}
}

func TestHTTPTimesOut(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			fmt.Fprint(w, `{"status":`)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}))
	defer srv.Close()
	for _, path := range []string{"/header", "/body"} {
		_, err := newHTTP(t, srv.URL+path, &sts.HTTPOptions{Timeout: 20 * time.Millisecond}).Credentials(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "within 20ms") {
			t.Errorf("%s: error = %v, want the timeout", path, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := newHTTP(t, srv.URL+path, nil).Credentials(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error = %v, want context.Canceled", path, err)
		}
	}
}

func TestHTTPErrorsHaveNeitherUserNorQuery(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(srv.URL, "http://")
	srv.Close()
	p := newHTTP(t, "http://me:"+testSecret+"@"+address+"/sts?token="+testToken, nil)
	_, err := p.Credentials(t.Context())
	if err == nil || !strings.Contains(err.Error(), "http://"+address+"/sts") {
		t.Errorf("error = %v, want one with the address", err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%s"} {
		noSecrets(t, verb, fmt.Sprintf(verb+" "+verb, p, err))
	}
}

// A redirect, too, may have a password or a token in its target.
func TestHTTPErrorsDoNotShowRedirects(t *testing.T) {
	for name, location := range map[string]string{
		"no URL":       "http://me:" + testSecret + "%@host/",
		"another kind": "ftp://me:" + testSecret + "@host/?token=" + testToken,
		"another host": "http://me:" + testSecret + "@127.0.0.1:1/?token=" + testToken,
	} {
		_, err := newHTTP(t, appServer(t, http.StatusFound, "", "Location", location), nil).Credentials(t.Context())
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		noSecrets(t, name, fmt.Sprintf("%v %+v", err, err))
	}
}

func TestNewHTTPRefuses(t *testing.T) {
	tests := []struct {
		name, url string
		opts      *sts.HTTPOptions
		text      string
	}{
		{"no scheme", "app.example.com/sts", nil, "want http:// or https://"},
		{"no host", "https:///sts", nil, "want http:// or https://"},
		{"no URL", "http://[::1/" + testSecret, nil, "app server's URL"},
		{"password with a #", "https://admin:" + testSecret + "#@host/", nil, "write %23 for #"},
		{"password with a slash", "https://admin:" + testSecret + "/@host/", nil, "write %23 for #"},
		{"password of digits with a slash", "https://admin:12345/@host/", nil, "%2F for /"},
		{"fragment", "https://a/#" + testSecret, nil, "no fragment"},
		{"method", "http://a", &sts.HTTPOptions{Method: "PUT"}, "GET or POST"},
		{"negative timeout", "http://a", &sts.HTTPOptions{Timeout: -1}, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sts.NewHTTP(tt.url, tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
			noSecrets(t, "error", fmt.Sprint(err))
		})
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHTTPClientThatPanicsIsAnError(t *testing.T) {
	for name, rt := range map[string]transport{
		"in RoundTrip": func(*http.Request) (*http.Response, error) { panic("oh") },
		"in Read": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(badReader{})}, nil
		},
	} {
		p := newHTTP(t, "http://a.example", &sts.HTTPOptions{HTTPClient: &http.Client{Transport: rt}})
		if _, err := p.Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), "app server http://a.example: ") || !strings.Contains(err.Error(), "panicked: oh") {
			t.Errorf("%s: error = %v, want one of the app server that names the panic", name, err)
		}
	}
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { panic("oh") }

func TestHTTPRetryAfter(t *testing.T) {
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	date := func(after time.Duration) string { return at.Add(after).Format(http.TimeFormat) }
	for _, tt := range []struct {
		name, value string
		want        time.Duration
	}{
		{"seconds", "7", 7 * time.Second},
		{"a date, by the server's clock", date(time.Minute), time.Minute},
		{"a date in the past", date(-time.Minute), 0},
		{"as good as for ever", "99999999999999999999", (1<<31 - 1) * time.Second},
		{"a date as good as for ever", "Fri, 31 Dec 9999 23:59:59 GMT", (1<<31 - 1) * time.Second},
		{"less than nothing", "-1", 0},
		{"a fraction", "1.5", 0},
		{"words", "soon", 0},
		{"none", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := appServer(t, http.StatusServiceUnavailable, "busy", "Retry-After", tt.value, "Date", date(0))
			_, err := newHTTP(t, server, nil).Credentials(t.Context())
			var e *sts.AppServerError
			if !errors.As(err, &e) || e.RetryAfter != tt.want {
				t.Errorf("error = %v with %+v, want a pause of %v", err, e, tt.want)
			}
		})
	}
}
