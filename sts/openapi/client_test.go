package openapi_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/sts/openapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret = "SecretOf30CharactersAbcdefghij"
	token  = "CAIS+token/with=signs&%andmore"
)

func key(context.Context) (openapi.Key, error) {
	return openapi.Key{ID: "STS.testkey1234", Secret: secret, Token: token}, nil
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func client(t *testing.T, endpoint string, opts *openapi.Options) *openapi.Client {
	t.Helper()
	c, err := openapi.New(endpoint, "2015-04-01", key, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func flat(v url.Values) map[string]string {
	m := map[string]string{}
	for name := range v {
		m[name] = v.Get(name)
	}
	return m
}

func TestDoSendsASignedRequest(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("east", 8*3600))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			var got map[string]string
			nonces := map[string]bool{}
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != method || r.URL.Path != "/" {
					t.Errorf("got %s %s, want %s /", r.Method, r.URL.Path, method)
				}
				if method == http.MethodPost && r.URL.RawQuery != "" {
					t.Errorf("a POST has the query %q", r.URL.RawQuery)
				}
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				got = flat(r.Form)
				nonces[got["SignatureNonce"]] = true
				fmt.Fprint(w, `{"Answer":"yes"}`)
			})
			c := client(t, srv.URL, &openapi.Options{Method: method, Now: func() time.Time { return now }})
			for range 2 {
				var out struct{ Answer string }
				err := c.Do(t.Context(), "Ask", map[string]string{"Question": "a b/ü*"}, &out)
				if err != nil || out.Answer != "yes" {
					t.Fatalf("Do = %v, answer %q", err, out.Answer)
				}
			}
			if len(nonces) != 2 {
				t.Errorf("two requests have %d different nonces, want 2", len(nonces))
			}
			if sig := openapi.Sign(method, got, secret); got["Signature"] != sig {
				t.Errorf("Signature = %q, want %q", got["Signature"], sig)
			}
			delete(got, "Signature")
			delete(got, "SignatureNonce")
			want := map[string]string{
				"Action": "Ask", "Version": "2015-04-01", "Format": "JSON", "Question": "a b/ü*",
				"AccessKeyId": "STS.testkey1234", "SecurityToken": token,
				"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "Timestamp": "2026-01-01T19:04:05Z",
			}
			if a, b := mustJSON(t, got), mustJSON(t, want); a != b {
				t.Errorf("parameters:\n got %s\nwant %s", a, b)
			}
		})
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDoErrors(t *testing.T) {
	quoted := openapi.Escape(openapi.Escape(token))
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   openapi.Error // compared field by field where set
		is     error
		text   []string // parts of the error's text
	}{
		{
			name: "documented error has code, message and request ID",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `{"RequestId":"R-1","HostId":"sts.aliyuncs.com","Code":"NoPermission","Message":"You are not authorized to do this action. You should be authorized by RAM."}`)
			},
			want: openapi.Error{Status: 403, Code: "NoPermission", RequestID: "R-1", HostID: "sts.aliyuncs.com"},
			text: []string{"Ask at 127.0.0.1", "NoPermission: You are not authorized", "HTTP 403, request ID R-1"},
		},
		{
			name: "secrets that the service quotes are redacted",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"Code":"SignatureDoesNotMatch","Message":"string to sign is:POST&%%2F&SecurityToken%%3D%s and %s"}`, quoted, secret)
			},
			want: openapi.Error{Status: 400, Code: "SignatureDoesNotMatch"},
			text: []string{"[redacted] and [redacted]"},
		},
		{
			name: "clock that is off is told",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(-2*time.Hour).UTC().Format(http.TimeFormat))
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp or date value is expired."}`)
			},
			want: openapi.Error{Status: 400, Code: "InvalidTimeStamp.Expired"},
			text: []string{"this machine's clock is 2h0m0s ahead of the service's"},
		},
		{
			name: "page of a proxy is not quoted",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.WriteHeader(http.StatusBadGateway)
				fmt.Fprint(w, "<html>internal-host-17</html>")
			},
			want: openapi.Error{Status: 502},
			is:   openapi.ErrAnswer,
			text: []string{"want JSON, got 29 bytes (text/html)", "HTTP 502"},
		},
		{
			name: "success that is cut short shows nothing of it",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, `{"Secret":%q,`, secret)
			},
			want: openapi.Error{Status: 200},
			is:   openapi.ErrAnswer,
			text: []string{"want JSON"},
		},
		{
			name: "connection that ends in the answer",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, `{"A":`)
			},
			want: openapi.Error{Status: 200},
			is:   io.ErrUnexpectedEOF,
		},
		{
			name: "answer above the limit",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, `{"A":%q}`, strings.Repeat("x", 1000))
			},
			want: openapi.Error{Status: 200},
			is:   openapi.ErrTooLarge,
			text: []string{"more than 500 bytes"},
		},
		{
			name: "redirect is not followed",
			answer: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			},
			want: openapi.Error{Status: 307},
			is:   openapi.ErrAnswer,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, tt.answer)
			var out struct{ A string }
			err := client(t, srv.URL, &openapi.Options{MaxAnswer: 500}).Do(t.Context(), "Ask", nil, &out)
			var e *openapi.Error
			if !errors.As(err, &e) {
				t.Fatalf("error = %v, want an *openapi.Error", err)
			}
			if e.Status != tt.want.Status || e.Code != tt.want.Code || e.RequestID != tt.want.RequestID || e.HostID != tt.want.HostID {
				t.Errorf("error = %+v, want %+v", e, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v, want it to wrap %v", err, tt.is)
			}
			for _, part := range tt.text {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error = %q, want it to contain %q", err, part)
				}
			}
			noSecret(t, fmt.Sprintf("%v %+v %#v", err, e, e))
		})
	}
}

func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, s := range []string{secret, token, openapi.Escape(token), openapi.Escape(openapi.Escape(token))} {
		if strings.Contains(text, s) {
			t.Errorf("text has a secret in it: %s", text)
		}
	}
}

func TestDoWithoutAnAnswer(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

	t.Run("timeout", func(t *testing.T) {
		srv := serve(t, hang)
		c := client(t, srv.URL, &openapi.Options{Method: http.MethodGet, Timeout: 10 * time.Millisecond})
		err := c.Do(t.Context(), "Ask", nil, nil)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no complete answer within 10ms") {
			t.Errorf("error = %v, want a deadline and the time", err)
		}
		noSecret(t, fmt.Sprintf("%v %#v", err, err))
	})
	t.Run("caller's context", func(t *testing.T) {
		srv := serve(t, hang)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("user went away"))
		err := client(t, srv.URL, nil).Do(ctx, "Ask", nil, nil)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "user went away") {
			t.Errorf("error = %v, want context.Canceled and its cause", err)
		}
	})
	t.Run("no server: neither URL nor secret in the error", func(t *testing.T) {
		srv := httptest.NewServer(http.NotFoundHandler())
		endpoint := srv.URL
		srv.Close()
		err := client(t, endpoint, &openapi.Options{Method: http.MethodGet}).Do(t.Context(), "Ask", nil, nil)
		if err == nil || strings.Contains(err.Error(), "Signature") {
			t.Errorf("error = %v, want one without the URL", err)
		}
		noSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
	})
}

func TestDoRefusesBeforeSending(t *testing.T) {
	sent := false
	srv := serve(t, func(http.ResponseWriter, *http.Request) { sent = true })
	broken := errors.New("no key today")
	tests := []struct {
		name   string
		key    openapi.KeyFunc
		params map[string]string
		text   string
		is     error
	}{
		{"key function fails", func(context.Context) (openapi.Key, error) { return openapi.Key{}, broken }, nil, "no key today", broken},
		{"no ID", func(context.Context) (openapi.Key, error) { return openapi.Key{Secret: secret}, nil }, nil, "ID is empty", nil},
		{"no secret", func(context.Context) (openapi.Key, error) { return openapi.Key{ID: "id"}, nil }, nil, "secret is empty", nil},
		{"common parameter", key, map[string]string{"Version": "1"}, "Version is set by the client", nil},
		{"token as parameter", key, map[string]string{"SecurityToken": "x"}, "SecurityToken is set by the client", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := openapi.New(srv.URL, "1", tt.key, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Do(t.Context(), "Ask", tt.params, nil)
			if err == nil || !strings.Contains(err.Error(), tt.text) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
		})
	}
	if sent {
		t.Error("a request was sent")
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, endpoint, version string
		key                     openapi.KeyFunc
		opts                    *openapi.Options
		text                    string
	}{
		{"empty endpoint", "", "1", key, nil, "endpoint"},
		{"endpoint with a path", "https://sts.aliyuncs.com/api", "1", key, nil, "nothing else"},
		{"endpoint with another scheme", "ftp://sts.aliyuncs.com", "1", key, nil, "want http:// or https://"},
		{"endpoint with a password", "https://me:hunter2@sts.aliyuncs.com", "1", key, nil, "nothing else"},
		{"endpoint with a query", "https://sts.aliyuncs.com?key=hunter2", "1", key, nil, "nothing else"},
		{"endpoint with a password that has a #", "https://me:hunter2#@sts.aliyuncs.com", "1", key, nil, "write %23 for #"},
		{"endpoint that is no URL", "https://[::1", "1", key, nil, "endpoint"},
		{"no version", "sts.aliyuncs.com", "", key, nil, "version"},
		{"no key", "sts.aliyuncs.com", "1", nil, nil, "key"},
		{"method", "sts.aliyuncs.com", "1", key, &openapi.Options{Method: "PUT"}, `"PUT"; want GET or POST`},
		{"timeout", "sts.aliyuncs.com", "1", key, &openapi.Options{Timeout: -1}, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := openapi.New(tt.endpoint, tt.version, tt.key, tt.opts)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error has the password: %v", err)
			}
		})
	}
}

func TestErrorClasses(t *testing.T) {
	tests := []struct {
		err                           openapi.Error
		throttled, temporary, clockIs bool
	}{
		{openapi.Error{Status: 400, Code: "Throttling.User"}, true, true, false},
		{openapi.Error{Status: 429}, true, true, false},
		{openapi.Error{Status: 500, Code: "InternalError"}, false, true, false},
		{openapi.Error{Status: 403, Code: "NoPermission"}, false, false, false},
		{openapi.Error{Status: 400, Code: "IllegalTimestamp"}, false, false, true},
		{openapi.Error{Status: 400, Code: "SignatureDoesNotMatch", Offset: -16 * time.Minute}, false, false, true},
	}
	for _, tt := range tests {
		if tt.err.Throttled() != tt.throttled || tt.err.Temporary() != tt.temporary || tt.err.ClockOff() != tt.clockIs {
			t.Errorf("%v: throttled %t, temporary %t, clock off %t; want %t, %t, %t", &tt.err,
				tt.err.Throttled(), tt.err.Temporary(), tt.err.ClockOff(), tt.throttled, tt.temporary, tt.clockIs)
		}
	}
}

func TestKeyHidesItsSecrets(t *testing.T) {
	k := openapi.Key{ID: "STS.testkey1234", Secret: secret, Token: token}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%z"} {
		text := fmt.Sprintf(verb+" "+verb+" "+verb, k, &k, struct{ K openapi.Key }{k})
		noSecret(t, text)
		if strings.Contains(text, "5365637265744f66") || strings.Contains(text, "5365637265744F66") {
			t.Errorf("%s shows the secret in hexadecimal: %s", verb, text)
		}
	}
	noSecret(t, mustJSON(t, k))
	noSecret(t, k.LogValue().String())
	var encoded bytes.Buffer
	if err := errors.Join(gob.NewEncoder(&encoded).Encode(k), gob.NewEncoder(&encoded).Encode(struct{ K *openapi.Key }{&k}),
		xml.NewEncoder(&encoded).Encode(k)); err != nil {
		t.Error(err)
	}
	noSecret(t, encoded.String())
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTransportThatPanicsIsAnError(t *testing.T) {
	c := client(t, "http://a.example", &openapi.Options{HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		panic("oh")
	})}})
	err := c.Do(t.Context(), "Ask", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "Ask at a.example: ") || !strings.Contains(err.Error(), "panicked: oh") || errors.Is(err, openapi.ErrNoConnection) {
		t.Errorf("error = %v, want one of the call that names the panic", err)
	}
}

func TestTransportThatPrintsTheRequest(t *testing.T) {
	for _, signature := range []string{openapi.HMACSHA1, openapi.ACS3} {
		c := client(t, "http://a.example", &openapi.Options{Signature: signature, HTTPClient: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			form, _ := io.ReadAll(r.Body)
			return nil, fmt.Errorf("cannot send %v %s", r.Header, form)
		})}})
		err := c.Do(t.Context(), "Ask", nil, nil)
		if err == nil || !strings.Contains(err.Error(), "cannot send") {
			t.Errorf("%s: error = %v, want the transport's", signature, err)
		}
		noSecret(t, fmt.Sprintf("%v %+v %#v", err, err, err))
	}
}

// A secret of a test may be a letter: it is hidden where it stands alone, and the words
// that have it in them stay.
func TestShortSecretsAreHiddenAsWords(t *testing.T) {
	message := "the signature of s is not s="
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"Code":"SignatureDoesNotMatch","Message":%q}`, message)
	})
	for _, tt := range []struct{ secret, want string }{
		{"s", "SignatureDoesNotMatch: the signature of [redacted] is not [redacted]= (HTTP 403)"},
		{"signatu", "SignatureDoesNotMatch: the signature of s is not s= (HTTP 403)"},
		{"signatur", "SignatureDoesNotMatch: the [redacted]e of s is not s= (HTTP 403)"},
	} {
		c, err := openapi.New(srv.URL, "2015-04-01", func(context.Context) (openapi.Key, error) {
			return openapi.Key{ID: "LTAI", Secret: tt.secret}, nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Do(t.Context(), "Ask", nil, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("with the secret %q: %v, want %q", tt.secret, err, tt.want)
		}
	}
}
