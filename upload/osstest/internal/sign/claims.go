package sign

import (
	"cmp"
	"net/http"
	"strings"
)

// ClaimsV1 reports whether a request is signed by version 1, correctly or not.
func ClaimsV1(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return scheme == "OSS" || hasAny(r.URL.Query(), "OSSAccessKeyId", "Signature")
}

// AccessKeyID returns the access key ID that a call names, in its header or in
// its URL, whether its signature is right or not.
func AccessKeyID(r *http.Request) string {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch scheme {
	case "OSS":
		id, _, _ := strings.Cut(rest, ":")
		return strings.TrimSpace(id)
	case algorithmV4:
		_, credential, _ := strings.Cut(rest, "Credential=")
		id, _, _ := strings.Cut(credential, "/")
		return id
	}
	query := r.URL.Query()
	if id := query.Get("OSSAccessKeyId"); id != "" {
		return id
	}
	id, _, _ := strings.Cut(query.Get("x-oss-credential"), "/")
	return id
}

// SecurityToken returns the security token that a request brings, in its header
// or in its URL, or "".
func SecurityToken(r *http.Request) string {
	query := r.URL.Query()
	return cmp.Or(r.Header.Get("X-Oss-Security-Token"),
		query.Get("x-oss-security-token"), query.Get("security-token"))
}
