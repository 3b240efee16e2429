package transfer

import (
	"strings"
	"testing"
)

func TestCustomDomain(t *testing.T) {
	name := must(CustomDomain("https://Media.Example.com:8443/"))
	l := Locator{CustomDomains: []string{name}}
	for endpoint, want := range map[string]string{
		"media.example.com":             "https://media.example.com/in/a",
		"http://media.example.com:8443": "http://media.example.com:8443/in/a",
		"other.example.com":             "https://b-1.other.example.com/in/a",
	} {
		if got, err := l.Target(endpoint, "b-1", "in/a"); err != nil || got.URL() != want {
			t.Errorf("%s: got %s, %v; want %s", endpoint, got.URL(), err, want)
		}
	}
	if own, err := (Locator{CustomDomains: []string{"b-1.oss-cn-hangzhou.aliyuncs.com"}}).Target("b-1.oss-cn-hangzhou.aliyuncs.com", "b-1", "a"); err != nil || own.URL() != "https://b-1.oss-cn-hangzhou.aliyuncs.com/a" {
		t.Errorf("the bucket's own domain: got %s, %v", own.URL(), err)
	}
	for _, bad := range []string{"", "10.0.0.1", "[::1]:80", "a b", "example.com/path"} {
		if got, err := CustomDomain(bad); err == nil {
			t.Errorf("%q: got %q, want an error", bad, got)
		}
	}
}

func TestTarget(t *testing.T) {
	for _, tt := range []struct {
		name, endpoint, bucket, object string
		want                           string // the error's beginning; empty: none
	}{
		{"right", "oss-cn-hangzhou.aliyuncs.com", "media", "in/a.mp4", ""},
		{"endpoint with a path", "oss-cn-hangzhou.aliyuncs.com/media", "media", "in/a.mp4", "Endpoint: "},
		{"bucket in capitals", "oss-cn-hangzhou.aliyuncs.com", "Media", "in/a.mp4", "Bucket: "},
		{"object that begins with a slash", "oss-cn-hangzhou.aliyuncs.com", "media", "/in/a.mp4", "Object: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, err := Locator{Region: "cn-hangzhou"}.Target(tt.endpoint, tt.bucket, tt.object)
			if tt.want == "" {
				if err != nil || target.Bucket != tt.bucket || target.Object != tt.object || target.Region != "cn-hangzhou" {
					t.Errorf("got %+v, %v", target, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want an error that begins with %q", err, tt.want)
			}
		})
	}
}
