package sts

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// The test's credentials. In a body, $KEY stands for the three fields under the names of
// the documentation.
const (
	answerKey   = `"AccessKeyId":"STS.x","AccessKeySecret":"s3cret","SecurityToken":"CAIS"`
	answerLower = `"accessKeyId":"STS.x","accessKeySecret":"s3cret","stsToken":"CAIS"`
)

func bodyOf(text string) []byte {
	return []byte(strings.NewReplacer("$KEY", answerKey, "$key", answerLower).Replace(text))
}

func TestAppAnswersWithCredentials(t *testing.T) {
	received := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	end := time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)
	unknown := time.Time{}
	tests := []struct {
		name, body string
		end        time.Time
	}{
		{"inside data", `{"code":0,"message":"ok","data":{$KEY,"Expiration":"2026-01-02T04:00:00Z"}}`, end},
		{"inside result", `{"success":true,"result":{$key,"expiration":"2026-01-02T04:00:00Z"}}`, end},
		{"inside body", `{"statusCode":200,"body":{$key}}`, unknown},
		{"inside data and credentials", `{"code":"0","data":{"credentials":{$KEY,"Expiration":"2026-01-02T04:00:00Z"}}}`, end},
		{"JSON in a string", `{"statusCode":200,"body":"{\"AccessKeyId\":\"STS.x\",\"AccessKeySecret\":\"s3cret\",\"SecurityToken\":\"CAIS\"}"}`, unknown},
		{"JSON in a string, twice", `"{\"data\":\"{\\\"AccessKeyId\\\":\\\"STS.x\\\",\\\"AccessKeySecret\\\":\\\"s3cret\\\",\\\"SecurityToken\\\":\\\"CAIS\\\"}\"}"`, unknown},
		{"in an array", `[{$KEY}]`, unknown},
		{"in an array inside data", `{"code":200,"data":[{$key}]}`, unknown},
		{"code 200", `{"code":200,$KEY}`, unknown},
		{"code as text", `{"code":"200",$KEY}`, unknown},
		{"code of five zeros", `{"code":"00000",$KEY}`, unknown},
		{"code SUCCESS", `{"code":"SUCCESS",$KEY}`, unknown},
		{"code 1", `{"code":1,"msg":"","data":{$KEY}}`, unknown},
		{"status true", `{"status":true,$KEY}`, unknown},
		{"status ok", `{"status":"OK",$KEY}`, unknown},
		{"error null", `{"error":null,$KEY}`, unknown},
		{"errno 0", `{"errno":0,"errmsg":"","data":{$key}}`, unknown},
		{"request ID as a number", `{"requestId":17,$KEY}`, unknown},
		{"error code as a number", `{"ErrorCode":0,$KEY}`, unknown},
		{"snake case", `{"access_key_id":"STS.x","access_key_secret":"s3cret","security_token":"CAIS","expires_in":3355}`, end},
		{"kebab case", `{"access-key-id":"STS.x","access-key-secret":"s3cret","security-token":"CAIS"}`, unknown},
		{"capitals", `{"ACCESSKEYID":"STS.x","ACCESSKEYSECRET":"s3cret","SECURITYTOKEN":"CAIS"}`, unknown},
		{"session token", `{"accessKeyId":"STS.x","secretAccessKey":"s3cret","sessionToken":"CAIS"}`, unknown},
		{"token beside a key of STS", `{"accessKeyId":"STS.x","accessKeySecret":"s3cret","token":"CAIS"}`, unknown},
		{"token of a session beside the token", `{"token":"eyJhbGci",$KEY}`, unknown},
		{"the token under two names", `{$KEY,"Security":"CAIS"}`, unknown},
		{"the same twice", `{$KEY,"SecurityTokenInfo":{$KEY,"Expiration":"2026-01-02T04:00:00Z"}}`, end},
		{"white space around values", `{"AccessKeyId":" STS.x","AccessKeySecret":"s3cret\n","SecurityToken":"CAIS"}`, unknown},
		{"a key of the server's own without its secret", `{"accessKeyId":"LTAI1","data":{$KEY}}`, unknown},
		{"seconds since 1970", `{$KEY,"Expiration":1767326400}`, end},
		{"seconds since 1970 as text", `{$KEY,"Expiration":"1767326400"}`, end},
		{"seconds since 1970 as a float", `{$KEY,"Expiration":1.7673264e9}`, end},
		{"milliseconds since 1970", `{$KEY,"expiration":1767326400000}`, end},
		{"milliseconds since 1970 as text", `{$KEY,"expiration":"1767326400000"}`, end},
		{"seconds from now on", `{$KEY,"Expiration":3355}`, end},
		{"seconds from now on as text", `{$KEY,"expireTime":"3355"}`, end},
		{"time without a zone", `{$KEY,"Expiration":"2026-01-02T04:00:00"}`, end},
		{"time with a space", `{$KEY,"Expiration":"2026-01-02 04:00:00"}`, end},
		{"time with an offset", `{$KEY,"Expiration":"2026-01-02T12:00:00+08:00"}`, end},
		{"time with an offset without a colon", `{$KEY,"Expiration":"2026-01-02T12:00:00.000+0800"}`, end},
		{"time with a fraction", `{$KEY,"Expiration":"2026-01-02T04:00:00.000Z"}`, end},
		{"time as in HTTP", `{$KEY,"Expires":"Fri, 02 Jan 2026 04:00:00 GMT"}`, end},
		{"time of JavaScript", `{$KEY,"Expiration":"Fri Jan 02 2026 12:00:00 GMT+0800 (China Standard Time)"}`, end},
		{"time of Go", `{$KEY,"Expiration":"2026-01-02 12:00:00 +0800 CST"}`, end},
		{"time around the key", `{"credentials":{$key},"expiration":"2026-01-02T04:00:00Z"}`, end},
		{"two times, of which one can be read", `{$KEY,"Expiration":"soon","expireTime":1767326400}`, end},
		{"time that nobody can read", `{$KEY,"Expiration":"tomorrow"}`, unknown},
		{"time that is null", `{$KEY,"Expiration":null}`, unknown},
		{"code of an error beside complete credentials", `{"StatusCode":500,"ErrorCode":"Odd",$KEY}`, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := Credentials{AccessKeyID: "STS.x", AccessKeySecret: "s3cret", SecurityToken: "CAIS", Expiration: tt.end}
			got, refusal := parseAppAnswer(200, bodyOf(tt.body), received)
			if refusal != nil {
				t.Fatal(refusal)
			}
			if got != want {
				t.Errorf("got %v until %v, want %v", got, got.Expiration, want)
			}
			if parsed, err := ParseCredentials(bodyOf(tt.body), received); parsed != want || err != nil {
				t.Errorf("ParseCredentials: got %v, %v", parsed, err)
			}
		})
	}
}

func TestAppAnswersWithoutCredentials(t *testing.T) {
	tests := []struct {
		name                     string
		status                   int
		body                     string
		code, message, requestID string
	}{
		{"code and message", 200, `{"code":40001,"msg":"log in first","requestId":17}`, "40001", "log in first", "17"},
		{"code as text", 200, `{"code":"NoLogin","message":"log in first"}`, "NoLogin", "log in first", ""},
		{"success false", 200, `{"success":false,"message":"log in first"}`, "", "log in first", ""},
		{"success false alone", 200, `{"success":false,"data":null}`, "", "OK", ""},
		{"error as an object", 200, `{"error":{"code":"NoPermission","message":"No.","requestId":"R-1"}}`, "NoPermission", "No.", "R-1"},
		{"error of STS inside data", 200, `{"code":0,"msg":"success","data":{"Code":"NoPermission","Message":"No.","RequestId":"R-1"}}`, "NoPermission", "No.", "R-1"},
		{"error of STS in a string", 200, `{"statusCode":200,"body":"{\"Code\":\"NoPermission\",\"Message\":\"No.\"}"}`, "NoPermission", "No.", ""},
		{"error as a word", 401, `{"error":"invalid_token","error_description":"it has expired"}`, "invalid_token", "it has expired", ""},
		{"error as a sentence", 200, `{"error":"please log in"}`, "", "please log in", ""},
		{"errno and errmsg", 200, `{"errno":-1,"errmsg":"busy","data":{}}`, "-1", "busy", ""},
		{"message alone", 200, `{"message":"please log in"}`, "", "please log in", ""},
		{"text with braces, which are not quoted", 502, "upstream failed: {$KEY}", "", "upstream failed:", ""},
		{"JSON alone in braces that is none", 502, "x({$KEY})", "", "x(", ""},
		{"the URL of a database", 500, `{"code":"DB","message":"dial mysql://root:p@ss/s3cret@db:3306 failed"}`, "DB", "dial mysql://[redacted]@db:3306 failed", ""},
		{"the same as text", 500, `cannot reach redis://:s3cret@db`, "", "cannot reach redis://[redacted]@db", ""},
		{"credentials with HTTP status 500", 500, `{$KEY}`, "", "Internal Server Error", ""},
		{"half of the credentials and a code", 200, `{"code":"NoPermission","AccessKeyId":"LTAI1"}`, "NoPermission", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, e := parseAppAnswer(tt.status, bodyOf(tt.body), time.Now())
			if e == nil || e.Err != nil || e.Code != tt.code || e.Message != tt.message || e.RequestID != tt.requestID {
				t.Errorf("got %v, %+v; want code %q, message %q, request ID %q", got, e, tt.code, tt.message, tt.requestID)
			}
		})
	}
}

func TestAppAnswersThatAreWrong(t *testing.T) {
	tests := []struct{ name, body, text string }{
		{"two keys", `{"data":[{$KEY},{"AccessKeyId":"STS.y","AccessKeySecret":"s3cret","SecurityToken":"CAIS"}]}`, "several credentials, which differ"},
		{"two tokens", `{$KEY,"Credentials":{"AccessKeyId":"STS.x","AccessKeySecret":"s3cret","SecurityToken":"other"}}`, "several credentials, which differ"},
		{"two secrets", `{$KEY,"Credentials":{"AccessKeyId":"STS.x","AccessKeySecret":"other","SecurityToken":"CAIS"}}`, "several credentials, which differ"},
		{"a field twice", `{$KEY,"accessKeySecret":"other"}`, "AccessKeySecret is there twice"},
		{"the very same name twice", `{$KEY,"AccessKeyId":"STS.y"}`, "AccessKeyId is there twice"},
		{"two names of the token that differ", `{$KEY,"stsToken":"other"}`, "SecurityToken is there twice"},
		{"parts in different objects", `{"AccessKeyId":"STS.x","AccessKeySecret":"s3cret","more":{"SecurityToken":"CAIS"}}`, "SecurityToken is missing"},
		{"a key of the account", `{"AccessKeyId":"LTAI1","AccessKeySecret":"s3cret","token":"eyJhbGci"}`, "SecurityToken is missing"},
		{"success without credentials", `{"code":0,"message":"success","data":{}}`, "AccessKeyId is missing"},
		{"a message of success beside half of them", `{"code":0,"message":"done","data":{"accessKeyId":"STS.x"}}`, "AccessKeySecret is missing"},
		{"UTF-16", utf16Of(`{"AccessKeySecret":"s3cret"}`), "not JSON from byte 1 on"},
		{"UTF-16 with a byte order mark", "\xff\xfe" + utf16Of(`{"AccessKeySecret":"s3cret"}`), "not text in UTF-8"},
		{"UTF-16, big-endian", "\x00" + utf16Of(`{"AccessKeySecret":"s3cret"}`), "not text in UTF-8"},
		{"compressed", "\x1f\x8b\x08\x00s3cret", "not text in UTF-8"},
		{"JSONP", `callback({$KEY});`, "something before its JSON"},
		{"a guard against scripts", ")]}',\n{$KEY}", "something before its JSON"},
		{"a notice of PHP", "Notice: undefined\n{$KEY}", "something before its JSON"},
		{"nested too deep", strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat("}", 40), "nested more than 16 deep"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, e := parseAppAnswer(200, bodyOf(tt.body), time.Now())
			if e == nil || !errors.Is(e, ErrAnswer) || !strings.Contains(e.Error(), tt.text) || strings.Contains(strings.ReplaceAll(e.Error(), "?", ""), "s3cret") {
				t.Errorf("got %v, %v; want %q", got, e, tt.text)
			}
			if _, err := ParseCredentials(bodyOf(tt.body), time.Now()); !errors.Is(err, ErrInvalidCredentials) && !errors.Is(err, ErrAnswer) {
				t.Errorf("ParseCredentials: %v", err)
			}
		})
	}
}

// utf16Of encodes ASCII as UTF-16, little-endian.
func utf16Of(text string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteString(string(c) + "\x00")
	}
	return b.String()
}
