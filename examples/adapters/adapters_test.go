package adapters

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	osscredentials "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/credentials-go/credentials"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// credentials-go reads a credentials URI, and the token that it gets there is one that
// STS issued.
func TestFromCredentialsGo(t *testing.T) {
	s := ststest.NewServer(nil)
	defer s.Close()
	u := ststest.NewCredentialsURI(s)
	defer u.Close()
	config := new(credentials.Config).SetType("credentials_uri").SetURLCredential(u.URL)
	from, err := credentials.NewCredential(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := FromCredentialsGo(from).Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if issued, ok := s.Lookup(c.AccessKeyID, c.SecurityToken); !ok || issued.AccessKeySecret != c.AccessKeySecret {
		t.Errorf("%v is not what was issued", c)
	}
	u.SetFault(ststest.FaultUnavailable)
	from, err = credentials.NewCredential(config)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := FromCredentialsGo(from).Credentials(t.Context()); err == nil {
		t.Errorf("got %v, want the error", c)
	}
}

func TestOSSProvidersThereAndBack(t *testing.T) {
	s := ststest.NewServer(nil)
	defer s.Close()
	role, err := sts.NewAssumeRole(sts.Static(s.DefaultUser()), ststest.DefaultRole, &sts.AssumeRoleOptions{Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := sts.NewCache(role, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	want, err := cache.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := FromOSS(ToOSS(cache)).Credentials(t.Context())
	if err != nil || got.AccessKeySecret != want.AccessKeySecret || got.SecurityToken != want.SecurityToken || !got.Expiration.Equal(want.Deadline()) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	static, err := FromOSS(osscredentials.NewStaticCredentialsProvider("id", "secret")).Credentials(t.Context())
	if err != nil || static.AccessKeyID != "id" || static.AccessKeySecret != "secret" || !static.Expiration.IsZero() {
		t.Errorf("got %v, %v", static, err)
	}
	failed := errors.New("no credentials today")
	if _, err := ToOSS(sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return sts.Credentials{}, failed })).GetCredentials(t.Context()); !errors.Is(err, failed) {
		t.Errorf("error = %v, want the provider's", err)
	}
}

// What the documentation of package sts shows is what is compiled here.
func TestDocumentationShowsTheseAdapters(t *testing.T) {
	doc, err := os.ReadFile("../../sts/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("adapters.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, found := strings.Cut(string(doc), "# Other providers")
	shown, _, _ = strings.Cut(shown, "// # ")
	lines := 0
	for line := range strings.SplitSeq(shown, "\n") {
		if text, ok := strings.CutPrefix(line, "//\t"); ok {
			lines++
			if !strings.Contains(string(code), "\n"+text+"\n") {
				t.Errorf("the documentation has a line that is not in adapters.go: %s", text)
			}
		}
	}
	if !found || lines < 20 {
		t.Errorf("%d lines of code in the documentation, want two adapters", lines)
	}
}
