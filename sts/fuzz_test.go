package sts

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Whatever an app server answers: credentials are complete or there is an error,
// and its text is printable, short, and without the secret.
func FuzzAppAnswer(f *testing.F) {
	const secret = "wyLTSmsyPGP1ohvvw8xYgB29dlGI8K"
	for _, seed := range []string{
		`{"status":200,"AccessKeyId":"STS.x","AccessKeySecret":"` + secret + `","SecurityToken":"CAIS","Expiration":"2126-03-04T05:06:07Z"}`,
		`{"StatusCode":"200","AccessKeyID":"STS.x","AccessKeySecret":"` + secret + `","Security":"CAIS"}`,
		`{"SecurityTokenInfo":{"AccessKeyId":"STS.x","AccessKeySecret":"` + secret + `","SecurityToken":"CAIS","Expiration":""}}`,
		`{"Credentials":{"AccessKeyId":"STS.x"},"SecurityTokenInfo":null}`,
		`{"status":"NoPermission","AccessKeyId":"","AccessKeySecret":"","SecurityToken":"","Expiration":""}`,
		`{"StatusCode":500,"ErrorCode":"NoPermission","ErrorMessage":"` + secret + `"}`,
		`{"Code":17,"Message":"x","RequestId":"6894B13B-6D71-4EF5-88FA-F32781734A7F"}`,
		`{"status":1e999}`, `{"status":true}`, `"text"`, `./config.json is empty or not found`, `<html>`, "\xef\xbb\xbf{}", "", "[]", "null",
	} {
		f.Add(200, []byte(seed))
		f.Add(500, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		c, refusal := parseAppAnswer(status, body, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		if refusal == nil {
			if err := c.Validate(); err != nil || !c.Temporary() || status/100 != 2 {
				t.Fatalf("accepted %v with HTTP %d: %v", c, status, err)
			}
			return
		}
		text := refusal.Error()
		if !utf8.ValidString(text) || len(text) > 4000 || strings.Contains(text, secret) || strings.ContainsAny(text, "\n\r\x00") {
			t.Errorf("text of the error is not fit for a log: %q", text)
		}
	})
}
