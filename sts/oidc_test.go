package sts_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/sts/ststest"
)

func TestOIDC(t *testing.T) {
	s := fakeSTS(t, nil)
	file := filepath.Join(t.TempDir(), "token")
	writeFile(t, file, s.OIDCToken("system:serviceaccount:media:uploader", time.Hour)+"\n")
	vars := map[string]string{"ALIBABA_CLOUD_ROLE_ARN": ststest.DefaultRole, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": ststest.DefaultOIDCProvider,
		"ALIBABA_CLOUD_OIDC_TOKEN_FILE": file, "ALIBABA_CLOUD_STS_ENDPOINT": s.URL}
	noEnvironment(t, vars)
	p, err := sts.NewOIDC(nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := get(t, s, p); c.RoleARN != ststest.DefaultRole || c.Session != "vodupload" || time.Until(c.Expires) < 59*time.Minute {
		t.Errorf("got %v", c)
	}

	t.Run("with a byte order mark", func(t *testing.T) {
		writeFile(t, file, "\ufeff"+s.OIDCToken("pod", time.Hour)+"\r\n")
		get(t, s, p)
	})
	t.Run("with its settings given", func(t *testing.T) {
		noEnvironment(t, nil)
		p, err := sts.NewOIDC(&sts.OIDCOptions{RoleARN: ststest.DefaultRole, ProviderARN: ststest.DefaultOIDCProvider, TokenFile: file,
			SessionName: "pod-7", Duration: 15 * time.Minute, Policy: `{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:*", "Resource": "*"}]}`, Endpoint: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		if c := get(t, s, p); c.Session != "pod-7" || time.Until(c.Expires) > 15*time.Minute || !strings.Contains(c.Policy, `"oss:*"`) {
			t.Errorf("got %v with policy %s", c, c.Policy)
		}
	})

	expired := s.OIDCToken("pod", -time.Minute)
	contents := []struct{ name, content, text string }{
		{"a token that has expired", expired, "AuthenticationFail.OIDCToken.Expired: This JsonWebToken is expired"},
		{"the same, with what to do", expired, "the token file is not renewed"},
		{"a token of somebody else", "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl", "AuthenticationFail.OIDCToken.Invalid"},
		{"an empty file", " \n", "has 0 characters"},
		{"a token of 20,001 characters", strings.Repeat("a", 20001), "has 20001 characters"},
		{"two tokens", "c2lnbmF0dXJl\nc2lnbmF0dXJl", "has a line break (U+000A) at byte 13 of 25, which no token has in it"},
		{"no text", "c2lnbmF0dXJl\xff\xfe", "has a byte that is not UTF-8"},
		{"a file of a megabyte", strings.Repeat("a", 1<<20), "has 1048576 bytes"},
	}
	for _, tt := range contents {
		t.Run(tt.name, func(t *testing.T) {
			writeFile(t, file, tt.content)
			err := refuse(t, p, tt.text)
			if strings.Contains(err.Error(), expired) || strings.Contains(err.Error(), "c2lnbmF0dXJl") {
				t.Errorf("the token is in the error: %v", err)
			}
			var refusal *openapi.Error
			if errors.As(err, &refusal) != (strings.HasPrefix(tt.text, "Auth") || tt.content == expired) {
				t.Errorf("error = %v", err)
			}
		})
	}
	t.Run("the file is read again each time", func(t *testing.T) {
		writeFile(t, file, s.OIDCToken("pod", time.Minute))
		get(t, s, p)
	})
	t.Run("a file that is gone", func(t *testing.T) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := refuse(t, p, file); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error = %v, want os.ErrNotExist", err)
		}
	})
	t.Run("a folder", func(t *testing.T) {
		if err := os.Mkdir(file, 0o700); err != nil {
			t.Fatal(err)
		}
		refuse(t, p, "not a regular file")
	})
}

func TestNewOIDCRefuses(t *testing.T) {
	full := sts.OIDCOptions{RoleARN: ststest.DefaultRole, ProviderARN: ststest.DefaultOIDCProvider, TokenFile: "/token"}
	tests := []struct {
		name string
		edit func(*sts.OIDCOptions)
		text string
	}{
		{"nothing", func(o *sts.OIDCOptions) { *o = sts.OIDCOptions{} }, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE, ALIBABA_CLOUD_ROLE_ARN are not set"},
		{"no role", func(o *sts.OIDCOptions) { o.RoleARN = "" }, "is set, but not ALIBABA_CLOUD_ROLE_ARN"},
		{"no provider", func(o *sts.OIDCOptions) { o.ProviderARN = "" }, "is set, but not ALIBABA_CLOUD_OIDC_PROVIDER_ARN"},
		{"no file", func(o *sts.OIDCOptions) { o.TokenFile = "" }, "is set, but not ALIBABA_CLOUD_OIDC_TOKEN_FILE"},
		{"a provider that is a role", func(o *sts.OIDCOptions) { o.ProviderARN = ststest.DefaultRole }, "ProviderARN"},
		{"a malformed role", func(o *sts.OIDCOptions) { o.RoleARN = "uploader" }, "RoleArn"},
		{"a short life", func(o *sts.OIDCOptions) { o.Duration = time.Minute }, "Duration"},
		{"a policy that is none", func(o *sts.OIDCOptions) { o.Policy = "[]" }, "Policy"},
		{"plain HTTP to a remote host", func(o *sts.OIDCOptions) { o.Endpoint = "http://sts.example" }, "plain HTTP to sts.example"},
		{"an endpoint that is none", func(o *sts.OIDCOptions) { o.Endpoint = "https://" }, "endpoint"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			noEnvironment(t, nil)
			o := full
			tt.edit(&o)
			_, err := sts.NewOIDC(&o)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
		})
	}
}
