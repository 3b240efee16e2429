package sts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/internal/role"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/sts/ststest"
)

const somePolicy = `{
	"Version": "1",
	"Statement": [{"Effect": "Allow", "Action": "oss:PutObject", "Resource": "acs:oss:*:*:media/in/*"}]
}`

func stsServer(t *testing.T, opts *ststest.Options) *ststest.Server {
	t.Helper()
	s := ststest.NewServer(opts)
	t.Cleanup(s.Close)
	return s
}

func TestAssumeRole(t *testing.T) {
	s := stsServer(t, &ststest.Options{Roles: []ststest.Role{
		{ARN: ststest.DefaultRole, MaxSession: 12 * time.Hour, ExternalID: "partner:7"}}})
	p, err := sts.NewAssumeRole(sts.Static(s.DefaultUser()), ststest.DefaultRole, &sts.AssumeRoleOptions{
		Endpoint: s.URL, SessionName: "alice@example.com", Duration: 12 * time.Hour, Policy: somePolicy, ExternalID: "partner:7",
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, ok := s.Lookup(c.AccessKeyID, c.SecurityToken)
	if !ok || got.Credentials() != c {
		t.Fatalf("STS knows %v, %t; want %v", got, ok, c)
	}
	if left := time.Until(c.Expiration); left > 12*time.Hour || left < 12*time.Hour-time.Minute {
		t.Errorf("token lives for %v, want 12h", left)
	}
	if want, _ := role.CompactPolicy(somePolicy); got.Policy != want || strings.ContainsAny(got.Policy, " \n\t") {
		t.Errorf("policy = %s, want it without white space", got.Policy)
	}
	if got.Session != "alice@example.com" {
		t.Errorf("session = %q", got.Session)
	}
}

func TestAssumeRoleRefusals(t *testing.T) {
	for _, code := range []string{"NoPermission", "EntityNotExist.Role", "InvalidAccessKeyId.NotFound", "Throttling.User", "InternalError"} {
		t.Run(code, func(t *testing.T) {
			s := stsServer(t, nil)
			s.FailNext(1, code)
			p, err := sts.NewAssumeRole(sts.Static(s.DefaultUser()), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Credentials(t.Context())
			var e *openapi.Error
			if !errors.As(err, &e) || e.Code != code || len(e.RequestID) != 36 || e.Status < 400 {
				t.Fatalf("error = %v, want code %s with request ID and status", err, code)
			}
			for _, part := range []string{ststest.DefaultRole, "as vodupload", code, e.RequestID} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
			if advised := !strings.HasSuffix(err.Error(), e.RequestID+")"); advised != (code != "InternalError") {
				t.Errorf("error %q: advice is %t", err, advised)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %d", err, p, p), s.DefaultUser().AccessKeySecret) {
				t.Error("text has the secret in it")
			}
		})
	}
}

func TestAssumeRoleWithAWrongSecret(t *testing.T) {
	s := stsServer(t, nil)
	user := s.DefaultUser()
	user.AccessKeySecret = testSecret
	p, err := sts.NewAssumeRole(sts.Static(user), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Credentials(t.Context())
	if err == nil || !strings.Contains(err.Error(), "check AccessKeySecret") {
		t.Errorf("error = %v, want a hint at the secret", err)
	}
	noSecrets(t, "error", fmt.Sprintf("%v %+v %#v", err, err, err))
}

func TestAssumeRoleWithAClockThatIsOff(t *testing.T) {
	s := stsServer(t, &ststest.Options{Now: func() time.Time { return time.Now().Add(20 * time.Minute) }})
	p, err := sts.NewAssumeRole(sts.Static(s.DefaultUser()), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Credentials(t.Context())
	if err == nil || !strings.Contains(err.Error(), "InvalidTimeStamp.Expired") || !strings.Contains(err.Error(), "behind the service's") ||
		!strings.Contains(err.Error(), "set this machine's clock") {
		t.Errorf("error = %v, want the code and that this clock is behind", err)
	}
}

func TestAssumeRoleUnreadableAnswers(t *testing.T) {
	tests := []struct{ name, body, text string }{
		{"no token", `{"RequestId":"R-1","Credentials":{"AccessKeyId":ID,"AccessKeySecret":SECRET,"Expiration":TIME}}`, "SecurityToken is missing (request ID R-1)"},
		{"no expiration", `{"Credentials":{"AccessKeyId":ID,"AccessKeySecret":SECRET,"SecurityToken":TOKEN}}`, "Expiration is missing"},
		{"no credentials", `{}`, "AccessKeyId is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := appServer(t, http.StatusOK, expand(tt.body))
			p, err := sts.NewAssumeRole(sts.Static(testCredentials), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: url})
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Credentials(t.Context())
			if !errors.Is(err, sts.ErrAnswer) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want ErrAnswer with %q", err, tt.text)
			}
			noSecrets(t, "error", fmt.Sprintf("%v %#v", err, err))
		})
	}
}

func TestNewAssumeRoleChecksBeforeSending(t *testing.T) {
	base := sts.Static(testCredentials)
	long := `{"Version":"` + strings.Repeat("1", 2034) + `"}`
	tests := []struct {
		name string
		base sts.Provider
		role string
		opts sts.AssumeRoleOptions
		text string // "": it is right
	}{
		{"defaults", base, ststest.DefaultRole, sts.AssumeRoleOptions{}, ""},
		{"shortest duration", base, ststest.DefaultRole, sts.AssumeRoleOptions{Duration: 900 * time.Second}, ""},
		{"longest duration", base, ststest.DefaultRole, sts.AssumeRoleOptions{Duration: 43200 * time.Second}, ""},
		{"longest policy", base, ststest.DefaultRole, sts.AssumeRoleOptions{Policy: " " + long + "\n"}, ""},
		{"no base", nil, ststest.DefaultRole, sts.AssumeRoleOptions{}, "base credentials is nil"},
		{"no role", base, "", sts.AssumeRoleOptions{}, "RoleArn"},
		{"user instead of a role", base, "acs:ram::1:user/alice", sts.AssumeRoleOptions{}, "acs:ram::ACCOUNT:role/NAME"},
		{"session of one letter", base, ststest.DefaultRole, sts.AssumeRoleOptions{SessionName: "a"}, "2 to 64"},
		{"session with a space", base, ststest.DefaultRole, sts.AssumeRoleOptions{SessionName: "a b"}, "SessionName"},
		{"session of 65 letters", base, ststest.DefaultRole, sts.AssumeRoleOptions{SessionName: strings.Repeat("a", 65)}, "SessionName"},
		{"duration too short", base, ststest.DefaultRole, sts.AssumeRoleOptions{Duration: 899 * time.Second}, "14m59s; want whole seconds from 15m0s to 12h0m0s"},
		{"duration too long", base, ststest.DefaultRole, sts.AssumeRoleOptions{Duration: 43201 * time.Second}, "12h0m1s"},
		{"duration with a fraction", base, ststest.DefaultRole, sts.AssumeRoleOptions{Duration: time.Hour + time.Millisecond}, "whole seconds"},
		{"policy too long", base, ststest.DefaultRole, sts.AssumeRoleOptions{Policy: strings.Replace(long, "1", "11", 1)}, "has 2049 characters"},
		{"policy that is no JSON", base, ststest.DefaultRole, sts.AssumeRoleOptions{Policy: "{"}, "Policy is not JSON"},
		{"policy that is a list", base, ststest.DefaultRole, sts.AssumeRoleOptions{Policy: "[]"}, "not an object"},
		{"external ID of one letter", base, ststest.DefaultRole, sts.AssumeRoleOptions{ExternalID: "x"}, "ExternalID"},
		{"external ID with a space", base, ststest.DefaultRole, sts.AssumeRoleOptions{ExternalID: "x y"}, "ExternalID"},
		{"endpoint", base, ststest.DefaultRole, sts.AssumeRoleOptions{Endpoint: "sts.aliyuncs.com/path"}, "endpoint"},
		{"negative timeout", base, ststest.DefaultRole, sts.AssumeRoleOptions{Timeout: -1}, "Timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sts.NewAssumeRole(tt.base, tt.role, &tt.opts)
			if tt.text == "" && err != nil || tt.text != "" && (err == nil || !strings.Contains(err.Error(), tt.text)) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
		})
	}
}

// The base key may be one that has to be fetched, and fetching it may fail.
func TestAssumeRoleWithABaseThatFails(t *testing.T) {
	broken := errors.New("vault is sealed")
	s := stsServer(t, nil)
	base := newHTTP(t, appServer(t, 500, "no"), nil)
	for _, b := range []sts.Provider{base, failing{broken}} {
		p, err := sts.NewAssumeRole(b, ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), "get the key to sign with") {
			t.Errorf("error = %v, want one about the key", err)
		}
	}
	if n := s.Stats().Calls; n != 0 {
		t.Errorf("%d calls of STS, want none", n)
	}
}

type failing struct{ err error }

func (f failing) Credentials(context.Context) (sts.Credentials, error) {
	return sts.Credentials{}, f.err
}
