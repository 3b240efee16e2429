package osscallback

import (
	"strings"
	"testing"
)

func TestKeyPath(t *testing.T) {
	for in, want := range map[string]string{
		"http://gosspublic.alicdn.com/callback_pub_key_v1.pem":  "callback_pub_key_v1.pem",
		"https://gosspublic.alicdn.com/callback_pub_key_v1.pem": "callback_pub_key_v1.pem",
		"https://gosspublic.alicdn.com/keys/v-2.pem":            "keys/v-2.pem",
	} {
		if got, err := keyPath(inBase64(in)); got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", in, got, err, want)
		}
	}
	for what, in := range map[string]string{
		"another host":               "https://evil.example/callback_pub_key_v1.pem",
		"a host below another":       "https://gosspublic.alicdn.com.evil.example/k.pem",
		"a host that ends alike":     "https://xgosspublic.alicdn.com/k.pem",
		"a user":                     "https://gosspublic.alicdn.com@evil.example/k.pem",
		"a user and a password":      "https://gosspublic.alicdn.com:80@evil.example/k.pem",
		"a user of the right host":   "https://me@gosspublic.alicdn.com/k.pem",
		"a port":                     "https://gosspublic.alicdn.com:8443/k.pem",
		"the default port":           "https://gosspublic.alicdn.com:443/k.pem",
		"an empty port":              "https://gosspublic.alicdn.com:/k.pem",
		"a dot behind the host":      "https://gosspublic.alicdn.com./k.pem",
		"capital letters":            "https://GOSSPUBLIC.alicdn.com/k.pem",
		"another scheme's letters":   "HTTPS://gosspublic.alicdn.com/k.pem",
		"ftp":                        "ftp://gosspublic.alicdn.com/k.pem",
		"file":                       "file://gosspublic.alicdn.com/k.pem",
		"no scheme":                  "gosspublic.alicdn.com/k.pem",
		"no scheme, slashes":         "//gosspublic.alicdn.com/k.pem",
		"a backslash":                `https://gosspublic.alicdn.com\@evil.example/k.pem`,
		"a backslash as a slash":     `https:\\gosspublic.alicdn.com/k.pem`,
		"letters that look alike":    "https://gossрublic.alicdn.com/k.pem", // a Cyrillic er
		"a dot that looks alike":     "https://gosspublic。alicdn.com/k.pem",
		"the name in another script": "https://xn--gossublic-b7h.alicdn.com/k.pem",
		"an escaped host":            "https://gosspublic%2Ealicdn.com/k.pem",
		"a line break":               "https://gosspublic.alicdn.com/k.pem\r\nX: y",
		"a blank before":             " https://gosspublic.alicdn.com/k.pem",
		"a zero":                     "https://gosspublic.alicdn.com/k.pem\x00",
		"no path":                    "https://gosspublic.alicdn.com/",
		"no slash":                   "https://gosspublic.alicdn.com",
		"a query":                    "https://gosspublic.alicdn.com/k.pem?x=1",
		"a fragment":                 "https://gosspublic.alicdn.com/k.pem#x",
		"an escape":                  "https://gosspublic.alicdn.com/k%2Epem",
		"a way up":                   "https://gosspublic.alicdn.com/a/../k.pem",
		"two slashes":                "https://gosspublic.alicdn.com//evil.example/k.pem",
		"an @ in the path":           "https://gosspublic.alicdn.com/@evil.example",
		"not UTF-8":                  "https://gosspublic.alicdn.com/\xff",
		"much too long":              "https://gosspublic.alicdn.com/" + strings.Repeat("a", 300),
	} {
		if got, err := keyPath(inBase64(in)); err == nil {
			t.Errorf("%s: got %q, want an error", what, got)
		} else if strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: the error has several lines: %q", what, err)
		}
	}
	for what, in := range map[string]string{
		"not base64": "https://gosspublic.alicdn.com/k.pem", "bits left over": inBase64("http://gosspublic.alicdn.com/k.pem")[:46] + "R==",
		"no padding": strings.TrimRight(inBase64("http://gosspublic.alicdn.com/kk.pem"), "="),
	} {
		if got, err := keyPath(in); err == nil {
			t.Errorf("%s: got %q, want an error", what, got)
		}
	}
}
