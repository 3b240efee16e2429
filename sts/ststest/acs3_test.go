package ststest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/sts/ststest"
)

// assumed is the part of an answer that the tests look at.
type assumed struct {
	Credentials    struct{ AccessKeyID, AccessKeySecret, SecurityToken string }
	SourceIdentity string
	OIDCTokenInfo  struct{ Issuer, Subject, ClientIDs, ExpirationTime string }
}

// ask makes a call signed with ACS3-HMAC-SHA256, or unsigned without a key.
func ask(t *testing.T, s *ststest.Server, c *sts.Credentials, action string, params map[string]string, opts openapi.Options) (assumed, error) {
	t.Helper()
	key := openapi.Unsigned
	if c != nil {
		key = keyOf(*c)
	}
	if opts.Signature == "" {
		opts.Signature = openapi.ACS3
	}
	client, err := openapi.New(s.URL, "2015-04-01", key, &opts)
	if err != nil {
		t.Fatal(err)
	}
	var out assumed
	err = client.Do(t.Context(), action, params, &out)
	return out, err
}

func keyOf(c sts.Credentials) openapi.KeyFunc {
	return func(context.Context) (openapi.Key, error) {
		return openapi.Key{ID: c.AccessKeyID, Secret: c.AccessKeySecret, Token: c.SecurityToken}, nil
	}
}

func TestAssumeRoleTakesACS3(t *testing.T) {
	s := start(t, nil)
	params := map[string]string{"RoleArn": ststest.DefaultRole, "RoleSessionName": "alice", "Policy": policy}
	user := s.DefaultUser()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			out, err := ask(t, s, &user, "AssumeRole", params, openapi.Options{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			issued, ok := s.Lookup(out.Credentials.AccessKeyID, out.Credentials.SecurityToken)
			if !ok || issued.Session != "alice" || issued.Policy != policy {
				t.Fatalf("Lookup = %v, %t", issued, ok)
			}
			again := issued.Credentials() // with its token in a header
			if _, err := ask(t, s, &again, "AssumeRole", params, openapi.Options{Method: method}); err != nil {
				t.Errorf("with the token: %v", err)
			}
		})
	}
}

func TestACS3Refusals(t *testing.T) {
	s := start(t, nil)
	good := s.DefaultUser()
	wrong, nobody := good, good
	wrong.AccessKeySecret = "another"
	nobody.AccessKeyID = "nobody"
	params := map[string]string{"RoleArn": ststest.DefaultRole, "RoleSessionName": "alice"}
	tests := []struct {
		name   string
		key    sts.Credentials
		action string
		opts   openapi.Options
		code   string
	}{
		{"wrong secret", wrong, "AssumeRole", openapi.Options{}, "SignatureDoesNotMatch"},
		{"unknown key", nobody, "AssumeRole", openapi.Options{}, "InvalidAccessKeyId.NotFound"},
		{"other action", good, "GetSessionAccessKey", openapi.Options{}, "InvalidAction.NotFound"},
		{"clock 16 minutes behind", good, "AssumeRole", openapi.Options{Now: func() time.Time { return time.Now().Add(-16 * time.Minute) }}, "InvalidTimeStamp.Expired"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ask(t, s, &tt.key, tt.action, params, tt.opts)
			wantCode(t, err, tt.code)
		})
	}
	t.Run("a header that is not signed", func(t *testing.T) {
		status, body := tampered(t, s, func(r *http.Request) { r.Header.Set("x-acs-extra", "1") })
		if status != http.StatusBadRequest || !strings.Contains(body, `"IncompleteSignature"`) {
			t.Errorf("HTTP %d: %s", status, body)
		}
	})
	t.Run("an action that was changed on the way", func(t *testing.T) {
		status, body := tampered(t, s, func(r *http.Request) { r.Header.Set("x-acs-version", "2015-04-01 ") })
		if status != http.StatusOK { // white space around a value does not count
			t.Errorf("HTTP %d: %s", status, body)
		}
		status, body = tampered(t, s, func(r *http.Request) {
			r.Header.Set("x-acs-date", time.Now().Add(time.Minute).UTC().Format(time.RFC3339))
		})
		if status != http.StatusBadRequest || !strings.Contains(body, `"SignatureDoesNotMatch"`) {
			t.Errorf("HTTP %d: %s", status, body)
		}
	})
	t.Run("a request that is repeated", func(t *testing.T) {
		var copied *http.Request
		if status, body := tampered(t, s, func(r *http.Request) { copied = r.Clone(context.Background()) }); status != http.StatusOK {
			t.Fatalf("HTTP %d: %s", status, body)
		}
		copied.Body = io.NopCloser(strings.NewReader("RoleArn=" + openapi.Escape(ststest.DefaultRole) + "&RoleSessionName=alice"))
		resp, err := http.DefaultTransport.RoundTrip(copied)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); !strings.Contains(string(body), `"SignatureNonceUsed"`) {
			t.Errorf("HTTP %d: %s", resp.StatusCode, body)
		}
	})
}

// tampered sends a good request after edit, and returns the answer.
func tampered(t *testing.T, s *ststest.Server, edit func(*http.Request)) (status int, body string) {
	t.Helper()
	client, err := openapi.New(s.URL, "2015-04-01", keyOf(s.DefaultUser()), &openapi.Options{
		Signature: openapi.ACS3,
		HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			edit(r)
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err == nil {
				read, _ := io.ReadAll(resp.Body)
				status, body = resp.StatusCode, string(read)
				resp.Body = io.NopCloser(strings.NewReader(body))
			}
			return resp, err
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Do(t.Context(), "AssumeRole", map[string]string{"RoleArn": ststest.DefaultRole, "RoleSessionName": "alice"}, nil)
	return status, body
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAssumeRoleWithOIDC(t *testing.T) {
	s := start(t, &ststest.Options{
		Roles: []ststest.Role{
			{ARN: ststest.DefaultRole, Policy: policy},
			{ARN: "acs:ram::1:role/other", TrustedOIDC: []string{"acs:ram::1:oidc-provider/other"}},
		},
		OIDCProviders: []string{ststest.DefaultOIDCProvider, "acs:ram::1:oidc-provider/other"},
	})
	good := func() map[string]string {
		return map[string]string{"RoleArn": ststest.DefaultRole, "RoleSessionName": "pod",
			"OIDCProviderArn": ststest.DefaultOIDCProvider, "OIDCToken": s.OIDCToken("system:serviceaccount:media:uploader", time.Hour)}
	}
	for _, signature := range []string{openapi.HMACSHA1, openapi.ACS3} {
		out, err := ask(t, s, nil, "AssumeRoleWithOIDC", good(), openapi.Options{Signature: signature})
		if err != nil {
			t.Fatalf("unsigned call: %v", err)
		}
		issued, ok := s.Lookup(out.Credentials.AccessKeyID, out.Credentials.SecurityToken)
		if !ok || issued.Session != "pod" || issued.RoleARN != ststest.DefaultRole || issued.Policy != policy {
			t.Errorf("Lookup = %v, %t", issued, ok)
		}
		if i := out.OIDCTokenInfo; i.Subject != "system:serviceaccount:media:uploader" || i.Issuer == "" || i.ClientIDs == "" || i.ExpirationTime == "" {
			t.Errorf("OIDCTokenInfo = %+v", i)
		}
	}
	other := start(t, nil)
	tests := []struct {
		name, param, value, code string
	}{
		{"token that has expired", "OIDCToken", s.OIDCToken("x", -time.Second), "AuthenticationFail.OIDCToken.Expired"},
		{"token of another issuer", "OIDCToken", other.OIDCToken("x", time.Hour), "AuthenticationFail.OIDCToken.Invalid"},
		{"token that is none", "OIDCToken", "none", "AuthenticationFail.OIDCToken.Invalid"},
		{"token of three characters", "OIDCToken", "abc", "InvalidParameter.OIDCToken"},
		{"no token", "OIDCToken", "", "MissingOIDCToken"},
		{"no provider", "OIDCProviderArn", "", "MissingOIDCProviderArn"},
		{"unknown provider", "OIDCProviderArn", "acs:ram::1:oidc-provider/ghost", "EntityNotExist.OIDCProvider"},
		{"role that does not trust the provider", "RoleArn", "acs:ram::1:role/other", "AuthenticationFail.NoPermission"},
		{"role that does not exist", "RoleArn", "acs:ram::1:role/ghost", "EntityNotExist.Role"},
		{"no session name", "RoleSessionName", "", "MissingRoleSessionName"},
		{"duration below 15 minutes", "DurationSeconds", "899", "InvalidParameter.DurationSeconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			params := good()
			params[tt.param] = tt.value
			_, err := ask(t, s, nil, "AssumeRoleWithOIDC", params, openapi.Options{})
			wantCode(t, err, tt.code)
		})
	}
	t.Run("AssumeRole without a signature", func(t *testing.T) {
		_, err := ask(t, s, nil, "AssumeRole", good(), openapi.Options{})
		wantCode(t, err, "MissingAccessKeyId")
	})
}

func TestSourceIdentityStaysAlongAChain(t *testing.T) {
	s := start(t, nil)
	user := s.DefaultUser()
	params := map[string]string{"RoleArn": ststest.DefaultRole, "RoleSessionName": "one", "SourceIdentity": "alice"}
	first, err := ask(t, s, &user, "AssumeRole", params, openapi.Options{})
	if err != nil || first.SourceIdentity != "alice" {
		t.Fatalf("%v, source identity %q", err, first.SourceIdentity)
	}
	c, _ := s.Lookup(first.Credentials.AccessKeyID, first.Credentials.SecurityToken)
	one := c.Credentials()
	params = map[string]string{"RoleArn": ststest.DefaultRole, "RoleSessionName": "two"}
	if second, err := ask(t, s, &one, "AssumeRole", params, openapi.Options{}); err != nil || second.SourceIdentity != "alice" {
		t.Errorf("second role: %v, source identity %q, want alice", err, second.SourceIdentity)
	}
	params["SourceIdentity"] = "bob"
	_, err = ask(t, s, &one, "AssumeRole", params, openapi.Options{})
	wantCode(t, err, "NoPermission")
}
