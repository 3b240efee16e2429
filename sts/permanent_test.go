package sts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// TestPermanent asks a server that answers once.
func TestPermanent(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		header string
		want   bool
	}{
		"401":                                   {status: 401, want: true},
		"403":                                   {status: 403, body: `{"Code":"NoPermission"}`, want: true},
		"404, a page":                           {status: 404, body: "<html>", want: true},
		"an answer of success that is no JSON":  {status: 200, body: "<html>", want: true},
		"an answer of success without a secret": {status: 200, body: `{"AccessKeyId":"STS.x"}`, want: true},
		"403 that asks for a pause":             {status: 403, header: "5"},
		"403 because too much was asked":        {status: 403, body: `{"Code":"Throttling.User"}`},
		"429":                                   {status: 429},
		"500":                                   {status: 500},
		"502, a page":                           {status: 502, body: "<html>"},
		"a refusal with a code and status 200":  {status: 200, body: `{"StatusCode":500,"ErrorCode":"Busy"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if tt.header != "" {
					w.Header().Set("Retry-After", tt.header)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer s.Close()
			p, err := sts.NewHTTP(s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Credentials(t.Context())
			if got := sts.Permanent(err); err == nil || got != tt.want {
				t.Errorf("Permanent(%v) is %v, want %v", err, got, tt.want)
			}
		})
	}
}

func TestPermanentByValue(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"of a user's Provider":      {fmt.Errorf("the account is closed: %w", sts.ErrPermanent), true},
		"nothing is configured":     {sts.ErrNotConfigured, true},
		"incomplete credentials":    {sts.ErrInvalidCredentials, true},
		"kept by a cache":           {&sts.RenewError{Err: &sts.AppServerError{Status: 404}}, true},
		"nothing is known about it": {errors.New("down"), false},
		"the context ended":         {context.DeadlineExceeded, false},
		"none":                      {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sts.Permanent(tt.err); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestPermanentStatusOfOtherSources: of a credentials URI.
func TestPermanentStatusOfOtherSources(t *testing.T) {
	for status, want := range map[int]bool{401: true, 403: true, 404: true, 429: false, 503: false} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		p, err := sts.NewURI(s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Credentials(t.Context())
		if got := sts.Permanent(err); err == nil || got != want {
			t.Errorf("HTTP %d: Permanent(%v) is %v, want %v", status, err, got, want)
		}
		s.Close()
	}
}

// An answer that breaks off, or stops, is of a bad network and not of a bad server.
func TestAnswerThatBreaksOffMayPass(t *testing.T) {
	const whole = `{"AccessKeyId":"STS.x","AccessKeySecret":"y","SecurityToken":"z"}`
	breaksOff := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(whole[:20]))
	}
	stops := func(w http.ResponseWriter, r *http.Request) {
		breaksOff(w, r)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	tooLong := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) }
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		timeout time.Duration
		want    bool
	}{
		"breaks off":  {breaksOff, time.Minute, false},
		"stops":       {stops, 100 * time.Millisecond, false},
		"is too long": {tooLong, time.Minute, true},
	} {
		for kind, provider := range map[string]func(url string) (sts.Provider, error){
			"app server": func(url string) (sts.Provider, error) {
				return sts.NewHTTP(url, &sts.HTTPOptions{Timeout: tt.timeout})
			},
			"AssumeRole": func(url string) (sts.Provider, error) {
				key := sts.Static(sts.Credentials{AccessKeyID: "a", AccessKeySecret: "b"})
				return sts.NewAssumeRole(key, "acs:ram::1:role/r", &sts.AssumeRoleOptions{Endpoint: url, Timeout: tt.timeout})
			},
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				s := httptest.NewServer(tt.handler)
				defer s.Close()
				p, err := provider(s.URL)
				if err != nil {
					t.Fatal(err)
				}
				_, err = p.Credentials(t.Context())
				if got := sts.Permanent(err); err == nil || got != tt.want {
					t.Errorf("Permanent(%v) is %v, want %v", err, got, tt.want)
				}
			})
		}
	}
}

func TestRedirectToAnotherScheme(t *testing.T) {
	s := httptest.NewServer(http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	defer s.Close()
	p, err := sts.NewHTTP(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = p.Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), `scheme "file"`) {
		t.Errorf("got %v, want it to name the scheme", err)
	}
}
