package openapi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts/openapi"
)

func TestACS3DocumentedVectors(t *testing.T) {
	tests := []struct {
		name, keyID, secret string
		request             openapi.ACS3Request
		canonicalSum        string // of the canonical request, where it is documented
		want                string
	}{
		{
			name:  "SDK documentation, V3, example with fixed parameters",
			keyID: "YourAccessKeyId", secret: "YourAccessKeySecret",
			request: openapi.ACS3Request{
				Method: http.MethodPost, Path: "/",
				Query: url.Values{"ImageId": {"win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}, "RegionId": {"cn-shanghai"}},
				Header: map[string]string{
					"host": "ecs.cn-shanghai.aliyuncs.com", "x-acs-action": "RunInstances",
					"x-acs-content-sha256":  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
					"x-acs-date":            "2023-10-26T10:22:32Z",
					"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d", "x-acs-version": "2014-05-26",
				},
				BodySHA256: openapi.SHA256(nil),
			},
			canonicalSum: "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
			want: "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;" +
				"x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
		},
		{
			name:  "test of the SDKs' signature, GetAuthorization",
			keyID: "acesskey", secret: "secret",
			request: openapi.ACS3Request{
				Query:      url.Values{"test": {"ok"}, "empty": {""}},
				Header:     map[string]string{"x-acs-test": "http,https"},
				BodySHA256: "55e12e91650d2fec56ec74e1d3e4ddbfce2ef3a65890c2a19ecf88a307e76a23",
			},
			want: "ACS3-HMAC-SHA256 Credential=acesskey,SignedHeaders=x-acs-test,Signature=4ab59fffe3c5738ff8a2729f90cc04fe18b02a4b15b2102cbaf92f9ff3df2ea3",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := openapi.SHA256([]byte(tt.request.Canonical())); tt.canonicalSum != "" && got != tt.canonicalSum {
				t.Errorf("canonical request has hash %s, want %s:\n%s", got, tt.canonicalSum, tt.request.Canonical())
			}
			if got := tt.request.Authorization(tt.keyID, tt.secret); got != tt.want {
				t.Errorf("Authorization:\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A signed request is one that a client made, as a server gets it.
func acs3Requests(t *testing.T, opts *openapi.Options, params map[string]string) []*http.Request {
	t.Helper()
	var got []*http.Request
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		got = append(got, r)
		fmt.Fprint(w, `{}`)
	})
	c := client(t, srv.URL, opts)
	for range 2 {
		if err := c.Do(t.Context(), "Ask", params, nil); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func TestClientSignsWithACS3(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("east", 8*3600))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			requests := acs3Requests(t, &openapi.Options{Method: method, Signature: openapi.ACS3, Now: func() time.Time { return now }},
				map[string]string{"Question": "a b/ü*~+", "Empty": ""})
			r := requests[0]
			body, _ := io.ReadAll(r.Body)
			p, err := openapi.ReadACS3(r, body)
			if err != nil || !openapi.IsACS3(r) {
				t.Fatalf("ReadACS3 = %v", err)
			}
			if p.AccessKeyID != "STS.testkey1234" || !p.Check(secret) || p.Check("another") {
				t.Errorf("key %q; right secret accepted: %t, another: %t", p.AccessKeyID, p.Check(secret), p.Check("another"))
			}
			for name, want := range map[string]string{
				"x-acs-action": "Ask", "x-acs-version": "2015-04-01", "x-acs-date": "2026-01-01T19:04:05Z",
				"x-acs-security-token": token, "x-acs-accesskey-id": "STS.testkey1234",
			} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if a, b := r.Header.Get("x-acs-signature-nonce"), requests[1].Header.Get("x-acs-signature-nonce"); a == b || a == "" {
				t.Errorf("nonces %q and %q, want two different ones", a, b)
			}
			values, _ := url.ParseQuery(string(body))
			if method == http.MethodGet {
				values = r.URL.Query()
			}
			if got := flat(values); len(got) != 2 || got["Question"] != "a b/ü*~+" {
				t.Errorf("parameters %v, want the action's own alone", got)
			}
		})
	}
}

func TestReadACS3Refuses(t *testing.T) {
	tests := []struct {
		name string
		edit func(*http.Request)
		text string // of ReadACS3's error; empty: Check fails instead
	}{
		{"a body that was changed", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("Question=2")) }, "x-acs-content-sha256"},
		{"a parameter that was added", func(r *http.Request) { r.URL.RawQuery = "Extra=1" }, ""},
		{"another action", func(r *http.Request) { r.Header.Set("x-acs-action", "DeleteAll") }, ""},
		{"another host", func(r *http.Request) { r.Host = "other.example" }, ""},
		{"another method", func(r *http.Request) { r.Method = http.MethodPut }, ""},
		{"another path", func(r *http.Request) { r.URL.Path = "/other" }, ""},
		{"a second value of a header", func(r *http.Request) { r.Header.Add("x-acs-version", "2014-01-01") }, ""},
		{"a header that is not signed", func(r *http.Request) { r.Header.Set("x-acs-extra", "1") }, "x-acs-extra is not among"},
		{"an Authorization without a signature", func(r *http.Request) {
			r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential=x,SignedHeaders=host")
		}, "lacks Credential, SignedHeaders or Signature"},
		{"an Authorization of its name alone", func(r *http.Request) { r.Header.Set("Authorization", "ACS3-HMAC-SHA256") }, "lacks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := acs3Requests(t, &openapi.Options{Signature: openapi.ACS3}, map[string]string{"Question": "1"})[0]
			tt.edit(r)
			body, _ := io.ReadAll(r.Body)
			p, err := openapi.ReadACS3(r, body)
			switch {
			case tt.text == "" && (err != nil || p.Check(secret)):
				t.Errorf("ReadACS3 = %v, accepted: %t; want no error, and a signature that does not fit", err, p.Check(secret))
			case tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)):
				t.Errorf("ReadACS3 = %v, want %q", err, tt.text)
			}
		})
	}
}

func TestUnsignedCalls(t *testing.T) {
	const jwt = "eyJhbGciOiJSUzI1NiJ9.e30.signature-of-the-token"
	for _, signature := range []string{openapi.HMACSHA1, openapi.ACS3} {
		t.Run(signature, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil {
					t.Error(err)
				}
				for _, name := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SecurityToken"} {
					if r.Form.Has(name) {
						t.Errorf("an unsigned request has the parameter %s", name)
					}
				}
				if r.Header.Get("Authorization") != "" {
					t.Error("an unsigned request has the header Authorization")
				}
				if r.Form.Get("Action") != "Ask" || r.Form.Get("Version") != "2015-04-01" || r.Form.Get("Timestamp") == "" {
					t.Errorf("parameters %v lack common ones", r.Form)
				}
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"Code":"Refused","Message":"the token %s is bad"}`, r.Form.Get("Token"))
			})
			c, err := openapi.New(srv.URL, "2015-04-01", openapi.Unsigned, &openapi.Options{Signature: signature, SecretParams: []string{"Token"}})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Do(t.Context(), "Ask", map[string]string{"Token": jwt}, nil)
			var refusal *openapi.Error
			if !errors.As(err, &refusal) || refusal.Code != "Refused" || strings.Contains(err.Error(), jwt) {
				t.Errorf("error = %v, want the refusal without the token", err)
			}
		})
	}
}

func TestACS3ErrorsHaveNoSecret(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"Code":"SignatureDoesNotMatch","Message":"x-acs-security-token:%s"}`, r.Header.Get("x-acs-security-token"))
	}))
	defer srv.Close()
	err := client(t, srv.URL, &openapi.Options{Signature: openapi.ACS3}).Do(t.Context(), "Ask", nil, nil)
	if err == nil {
		t.Fatal("no error")
	}
	noSecret(t, fmt.Sprintf("%v %+v", err, err))
}

func TestUnknownSignatureIsRefused(t *testing.T) {
	_, err := openapi.New("sts.aliyuncs.com", "1", key, &openapi.Options{Signature: "ACS3-HMAC-SM3"})
	if err == nil || !strings.Contains(err.Error(), `"ACS3-HMAC-SM3"; want HMAC-SHA1 or ACS3-HMAC-SHA256`) {
		t.Errorf("error = %v", err)
	}
}
