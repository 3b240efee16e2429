package sts_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/sts/ststest"
)

func TestGetCallerIdentity(t *testing.T) {
	server := ststest.NewServer(&ststest.Options{Users: []ststest.User{
		{AccessKeyID: "first", AccessKeySecret: "s"}, {AccessKeyID: "second", AccessKeySecret: "s"}, {AccessKeyID: "root", AccessKeySecret: "s", Root: true},
	}})
	defer server.Close()
	key := func(id string) sts.Provider {
		return sts.Static(sts.Credentials{AccessKeyID: id, AccessKeySecret: "s"})
	}
	role, err := sts.NewAssumeRole(key("first"), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: server.URL, SessionName: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	at := &sts.IdentityOptions{Endpoint: server.URL}
	for outcome, test := range map[string]struct {
		of   sts.Provider
		want sts.Identity
	}{
		"a RAM user": {key("second"), sts.Identity{Type: "RAMUser", AccountID: "1000000000000001", UserID: "216959339000000002",
			ARN: "acs:ram::1000000000000001:user/user2", PrincipalID: "216959339000000002"}},
		"an account": {key("root"), sts.Identity{Type: "Account", AccountID: "1000000000000001", UserID: "1000000000000001",
			ARN: "acs:ram::1000000000000001:root", PrincipalID: "1000000000000001"}},
		"a role": {role, sts.Identity{Type: "AssumedRoleUser", AccountID: "1000000000000001", RoleID: "344584339364951186",
			ARN: "acs:ram::1000000000000001:assumed-role/uploader/alice", PrincipalID: "344584339364951186:alice"}},
	} {
		t.Run(outcome, func(t *testing.T) {
			got, err := sts.GetCallerIdentity(t.Context(), test.of, at)
			if err != nil || len(got.RequestID) != 36 {
				t.Fatalf("got %+v, %v", got, err)
			}
			test.want.RequestID = got.RequestID
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
	if n := server.Stats().Issued; n != 1 {
		t.Errorf("%d tokens were issued, want that of the role alone", n)
	}

	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"RequestId":"R"}`)) }))
	defer page.Close()
	none := errors.New("no credentials here")
	for outcome, test := range map[string]struct {
		of       sts.Provider
		endpoint string
		refuse   string
		is       error
		says     string
	}{
		"a wrong secret":           {sts.Static(sts.Credentials{AccessKeyID: "first", AccessKeySecret: "x"}), server.URL, "", nil, "check AccessKeySecret"},
		"a key of nobody":          {key("nobody"), server.URL, "", nil, "InvalidAccessKeyId.NotFound"},
		"a policy that denies it":  {key("first"), server.URL, "NoPermission", nil, "denies sts:GetCallerIdentity"},
		"an answer of nobody":      {key("first"), page.URL, "", sts.ErrAnswer, "AccountId or Arn is missing (request ID R)"},
		"no connection":            {key("first"), "http://127.0.0.1:1", "", openapi.ErrNoConnection, "127.0.0.1:1"},
		"no credentials":           {sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return sts.Credentials{}, none }), server.URL, "", none, ""},
		"no provider":              {nil, server.URL, "", nil, "is nil"},
		"an endpoint that is none": {key("first"), "http://a/b", "", nil, "endpoint"},
	} {
		t.Run(outcome, func(t *testing.T) {
			if test.refuse != "" {
				server.FailNext(1, test.refuse)
			}
			_, err := sts.GetCallerIdentity(t.Context(), test.of, &sts.IdentityOptions{Endpoint: test.endpoint})
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want %v and %q", err, test.is, test.says)
			}
		})
	}
}
