package openapi_test

import (
	"testing"

	"github.com/vodupload/vodupload/sts/openapi"
)

func TestSignDocumentedVectors(t *testing.T) {
	tests := []struct {
		name, secret, toSign, want string
		params                     map[string]string
	}{
		{
			name:   "VOD documentation, Request signatures",
			secret: "testAccessKeySecret",
			params: map[string]string{
				"Timestamp":        "2017-10-10T12:02:54Z",
				"Format":           "JSON",
				"AccessKeyId":      "testAccessKeyId",
				"Action":           "GetVideoPlayAuth",
				"SignatureMethod":  "HMAC-SHA1",
				"SignatureNonce":   "8f8a035d-6496-4268-afd4-67c22837e38d",
				"Version":          "2017-03-21",
				"SignatureVersion": "1.0",
				"VideoId":          "5aed81b74ba84920be578cdfe004af4b",
			},
			toSign: "GET&%2F&AccessKeyId%3DtestAccessKeyId%26Action%3DGetVideoPlayAuth%26Format%3DJSON" +
				"%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D8f8a035d-6496-4268-afd4-67c22837e38d" +
				"%26SignatureVersion%3D1.0%26Timestamp%3D2017-10-10T12%253A02%253A54Z" +
				"%26Version%3D2017-03-21%26VideoId%3D5aed81b74ba84920be578cdfe004af4b",
			want: "Ibgh7y8Vp47LBuAsf5Xhi1SvDss=",
		},
		{
			name:   "ECS documentation, Request signatures",
			secret: "testsecret",
			params: map[string]string{
				"Timestamp":        "2016-02-23T12:46:24Z",
				"Format":           "XML",
				"AccessKeyId":      "testid",
				"Action":           "DescribeRegions",
				"SignatureMethod":  "HMAC-SHA1",
				"SignatureNonce":   "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
				"Version":          "2014-05-26",
				"SignatureVersion": "1.0",
			},
			toSign: "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML" +
				"%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf" +
				"%26SignatureVersion%3D1.0%26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26",
			want: "OLeaidS1JvxuMvnyHOwuJ+uX5qY=",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := openapi.StringToSign("GET", tt.params); got != tt.toSign {
				t.Errorf("string to sign:\n got %s\nwant %s", got, tt.toSign)
			}
			tt.params["Signature"] = "is left out"
			if got := openapi.Sign("GET", tt.params, tt.secret); got != tt.want {
				t.Errorf("signature = %q, want %q", got, tt.want)
			}
			if openapi.Sign("POST", tt.params, tt.secret) == tt.want {
				t.Error("the method does not count in the signature")
			}
		})
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"azAZ09-_.~":        "azAZ09-_.~",
		"a b+c":             "a%20b%2Bc",
		"*'()!":             "%2A%27%28%29%21",
		"acs:ram::1:role/x": "acs%3Aram%3A%3A1%3Arole%2Fx",
		"é\x00\xff":         "%C3%A9%00%FF",
	} {
		if got := openapi.Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}
