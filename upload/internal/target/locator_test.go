package target

import (
	"errors"
	"testing"
)

func TestCustomDomain(t *testing.T) {
	name, err := CustomDomain("https://Media.Example.com:8443/")
	if err != nil {
		t.Fatal(err)
	}
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

func TestLocatorTarget(t *testing.T) {
	for _, tt := range []struct {
		name, endpoint, bucket, object string
		want                           string // the field that is wrong; empty: none
	}{
		{"right", "oss-cn-hangzhou.aliyuncs.com", "media", "in/a.mp4", ""},
		{"endpoint with a path", "oss-cn-hangzhou.aliyuncs.com/media", "media", "in/a.mp4", "Endpoint"},
		{"bucket in capitals", "oss-cn-hangzhou.aliyuncs.com", "Media", "in/a.mp4", "Bucket"},
		{"object that begins with a slash", "oss-cn-hangzhou.aliyuncs.com", "media", "/in/a.mp4", "Object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, err := Locator{Region: "cn-hangzhou"}.Target(tt.endpoint, tt.bucket, tt.object)
			if tt.want == "" {
				if err != nil || target.Bucket != tt.bucket || target.Object != tt.object || target.Region != "cn-hangzhou" {
					t.Errorf("got %+v, %v", target, err)
				}
				return
			}
			var field *FieldError
			if !errors.As(err, &field) || field.Field != tt.want {
				t.Errorf("got %v, want a FieldError of %s", err, tt.want)
			}
		})
	}
}

func TestLocatorPrefix(t *testing.T) {
	for name, c := range map[string]struct{ endpoint, bucket, prefix, field string }{
		"empty":            {"oss-cn-hangzhou.aliyuncs.com", "media", "", ""},
		"folder":           {"oss-cn-hangzhou.aliyuncs.com", "media", "in/", ""},
		"slash at the top": {"oss-cn-hangzhou.aliyuncs.com", "media", "/in", "Prefix"},
		"bucket":           {"oss-cn-hangzhou.aliyuncs.com", "", "in/", "Bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Locator{}.Prefix(c.endpoint, c.bucket, c.prefix)
			var field *FieldError
			switch {
			case c.field == "" && (err != nil || got.Object != c.prefix || got.Bucket != c.bucket):
				t.Errorf("got %+v, %v", got, err)
			case c.field != "" && (!errors.As(err, &field) || field.Field != c.field):
				t.Errorf("got %v, want a FieldError of %s", err, c.field)
			}
		})
	}
}
