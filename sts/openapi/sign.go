package openapi

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

// HMACSHA1 is the name of the signature version 1.0, which is a parameter like others.
const HMACSHA1 = "HMAC-SHA1"

// Sign returns the signature of a request: HMAC-SHA1, version 1.0, in base64.
// Method is the HTTP method in capitals, params are all parameters of query and
// form; one named Signature is left out.
func Sign(method string, params map[string]string, accessKeySecret string) string {
	mac := hmac.New(sha1.New, []byte(accessKeySecret+"&"))
	mac.Write([]byte(StringToSign(method, params)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// StringToSign returns what [Sign] signs: the method, the path, which is always
// "/", and the sorted parameters, the latter encoded a second time.
func StringToSign(method string, params map[string]string) string {
	return method + "&" + Escape("/") + "&" + Escape(canonical(params))
}

// canonical returns the parameters sorted by name, as a query.
func canonical(params map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == "Signature" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(Escape(name))
		b.WriteByte('=')
		b.WriteString(Escape(params[name]))
	}
	return b.String()
}

// Escape encodes s as RFC 3986 has it: all bytes but letters, digits and "-_.~"
// become %XY. It differs from [net/url.QueryEscape] in the space, which is %20.
func Escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if unreserved(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}
