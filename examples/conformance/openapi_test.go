package conformance

import (
	"strings"
	"testing"
	"time"

	official "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	officialsts "github.com/alibabacloud-go/sts-20150401/v2/client"
	util "github.com/alibabacloud-go/tea-utils/v2/service"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// officialConfig points an official SDK at a server of this process. All of them sign
// with ACS3-HMAC-SHA256 by default.
func officialConfig(url string, key sts.Credentials) *official.Config {
	c := &official.Config{
		AccessKeyId: tea.String(key.AccessKeyID), AccessKeySecret: tea.String(key.AccessKeySecret),
		Endpoint: tea.String(strings.TrimPrefix(url, "http://")), Protocol: tea.String("HTTP"),
	}
	if key.SecurityToken != "" {
		c.SecurityToken = tea.String(key.SecurityToken)
	}
	return c
}

func officialSTS(t *testing.T, s *ststest.Server, key sts.Credentials) *officialsts.Client {
	t.Helper()
	client, err := officialsts.NewClient(officialConfig(s.URL, key))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestOfficialSTSClient(t *testing.T) {
	s := ststest.NewServer(nil)
	defer s.Close()
	request := &officialsts.AssumeRoleRequest{
		RoleArn: tea.String(ststest.DefaultRole), RoleSessionName: tea.String("alice"), DurationSeconds: tea.Int64(900),
		Policy: tea.String(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}`),
	}
	answer, err := officialSTS(t, s, s.DefaultUser()).AssumeRole(request)
	if err != nil {
		t.Fatal(err)
	}
	c := answer.Body.Credentials
	issued, ok := s.Lookup(tea.StringValue(c.AccessKeyId), tea.StringValue(c.SecurityToken))
	if !ok || issued.Session != "alice" || issued.Policy != tea.StringValue(request.Policy) {
		t.Fatalf("Lookup = %v, %t", issued, ok)
	}

	t.Run("with the token of a role", func(t *testing.T) {
		if _, err := officialSTS(t, s, issued.Credentials()).AssumeRole(request); err != nil {
			t.Error(err)
		}
	})
	t.Run("with a wrong secret", func(t *testing.T) {
		key := s.DefaultUser()
		key.AccessKeySecret = "another"
		_, err := officialSTS(t, s, key).AssumeRole(request)
		wantOfficialCode(t, err, "SignatureDoesNotMatch")
	})
	t.Run("AssumeRoleWithOIDC without a key", func(t *testing.T) {
		answer, err := officialSTS(t, s, sts.Credentials{}).AssumeRoleWithOIDCWithOptions(&officialsts.AssumeRoleWithOIDCRequest{
			RoleArn: tea.String(ststest.DefaultRole), RoleSessionName: tea.String("pod"),
			OIDCProviderArn: tea.String(ststest.DefaultOIDCProvider), OIDCToken: tea.String(s.OIDCToken("pod", time.Hour)),
		}, &util.RuntimeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c := answer.Body.Credentials
		if issued, ok := s.Lookup(tea.StringValue(c.AccessKeyId), tea.StringValue(c.SecurityToken)); !ok || issued.Session != "pod" {
			t.Errorf("Lookup = %v, %t", issued, ok)
		}
		if got := tea.StringValue(answer.Body.OIDCTokenInfo.Subject); got != "pod" {
			t.Errorf("Subject = %q, want pod", got)
		}
	})
}

func TestOfficialOpenAPIClientOfVOD(t *testing.T) {
	s := vodtest.NewServer(nil)
	defer s.Close()
	key := sts.Credentials{AccessKeyID: vodtest.DefaultKey.AccessKeyID, AccessKeySecret: vodtest.DefaultKey.AccessKeySecret}
	call := func(key sts.Credentials, action string, query map[string]*string) (map[string]any, error) {
		client, err := official.NewClient(officialConfig(s.URL, key))
		if err != nil {
			t.Fatal(err)
		}
		return client.CallApi(&official.Params{
			Action: tea.String(action), Version: tea.String("2017-03-21"), Protocol: tea.String("HTTP"), Pathname: tea.String("/"),
			Method: tea.String("POST"), AuthType: tea.String("AK"), Style: tea.String("RPC"),
			ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
		}, &official.OpenApiRequest{Query: query}, &dara.RuntimeOptions{})
	}
	answer, err := call(key, vodtest.CreateUploadVideo, map[string]*string{"Title": tea.String("ein Film *~+"), "FileName": tea.String("a.mp4")})
	if err != nil {
		t.Fatal(err)
	}
	body, _ := answer["body"].(map[string]any)
	if body["VideoId"] == "" || body["UploadAuth"] == "" || len(s.Media()) != 1 || s.Media()[0].Params["Title"] != "ein Film *~+" {
		t.Errorf("answer %v, %d media", body, len(s.Media()))
	}
	key.AccessKeySecret = "another"
	_, err = call(key, vodtest.CreateUploadVideo, map[string]*string{"Title": tea.String("t"), "FileName": tea.String("a.mp4")})
	wantOfficialCode(t, err, "SignatureDoesNotMatch")
}

// wantOfficialCode checks the code of an official SDK's error, which has it in its
// text.
func wantOfficialCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), code) {
		t.Errorf("error = %v, want %s", err, code)
	}
}
