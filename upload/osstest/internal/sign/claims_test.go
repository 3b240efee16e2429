package sign

import (
	"net/http/httptest"
	"testing"
)

func TestAccessKeyIDIsFoundWhereverItIs(t *testing.T) {
	for name, test := range map[string]struct{ authorization, query string }{
		"header, V1": {"OSS STS.ab:c2ln", ""},
		"header, V4": {"OSS4-HMAC-SHA256 Credential=STS.ab/20261121/cn-hangzhou/oss/aliyun_v4_request,Signature=0", ""},
		"URL, V1":    {"", "OSSAccessKeyId=STS.ab"},
		"URL, V4":    {"", "x-oss-credential=STS.ab%2F20261121"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/?"+test.query, nil)
			r.Header.Set("Authorization", test.authorization)
			if got := AccessKeyID(r); got != "STS.ab" {
				t.Errorf("got %q, want STS.ab", got)
			}
		})
	}
	t.Run("nowhere", func(t *testing.T) {
		if got := AccessKeyID(httptest.NewRequest("GET", "/", nil)); got != "" {
			t.Errorf("got %q, want none", got)
		}
	})
}
