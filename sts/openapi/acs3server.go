package openapi

import (
	"crypto/hmac"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Presented is a request that came with a signature ACS3-HMAC-SHA256, as a server
// sees it: whose key it is said to be, and what has to be checked.
type Presented struct {
	AccessKeyID string
	Request     ACS3Request
	signature   string
}

// IsACS3 reports whether a request claims to be signed with ACS3-HMAC-SHA256.
func IsACS3(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return scheme == ACS3
}

// ReadACS3 reads the signature of a request, for a server, with the body that came with
// it. The signature is not checked yet: see [Presented.Check]. The error says what is
// malformed, missing, or not covered by the signature: all headers that begin with
// "x-acs-" have to be, and the header host.
func ReadACS3(r *http.Request, body []byte) (Presented, error) {
	_, fields, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	var p Presented
	var signed []string
	for field := range strings.SplitSeq(fields, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(field), "="); name {
		case "Credential":
			p.AccessKeyID = value
		case "SignedHeaders":
			signed = strings.Split(value, ";")
		case "Signature":
			p.signature = value
		}
	}
	if p.AccessKeyID == "" || p.signature == "" || len(signed) == 0 {
		return p, fmt.Errorf("the header Authorization lacks Credential, SignedHeaders or Signature")
	}
	p.Request = ACS3Request{Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.Query(),
		Header: make(map[string]string, len(signed)), BodySHA256: SHA256(body)}
	for _, name := range signed {
		p.Request.Header[name] = headerOf(r, name)
	}
	return p, covered(r, p.Request)
}

// headerOf returns the value of a header as the signature has it. Package net/http
// keeps the host elsewhere.
func headerOf(r *http.Request, name string) string {
	if name == "host" {
		return r.Host
	}
	values := slices.Sorted(slices.Values(r.Header.Values(name)))
	return strings.Join(values, ",")
}

// covered returns an error that names a header which the signature should cover: what
// is not signed could have been put there by anybody.
func covered(r *http.Request, signed ACS3Request) error {
	names := []string{"host"}
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-acs-") {
			names = append(names, lower)
		}
	}
	for _, name := range names {
		if _, ok := signed.Header[name]; !ok {
			return fmt.Errorf("the header %s is not among the SignedHeaders", name)
		}
	}
	if said := r.Header.Get("x-acs-content-sha256"); said != signed.BodySHA256 {
		return fmt.Errorf("the header x-acs-content-sha256 is %q; the body has %s", said, signed.BodySHA256)
	}
	return nil
}

// Check reports whether the request was signed with the secret.
func (p Presented) Check(accessKeySecret string) bool {
	return hmac.Equal([]byte(p.Request.Sign(accessKeySecret)), []byte(p.signature))
}

// headerParams are the common parameters by the headers that newer clients have them
// in.
var headerParams = map[string]string{
	"x-acs-action":          "Action",
	"x-acs-version":         "Version",
	"x-acs-date":            "Timestamp",
	"x-acs-signature-nonce": "SignatureNonce",
	"x-acs-security-token":  "SecurityToken",
}

// HeaderParams returns the common parameters that a request has in headers that begin
// with "x-acs-", by the names that they have in a query, for a server. A request
// without the header x-acs-action has none.
func HeaderParams(h http.Header) map[string]string {
	params := make(map[string]string)
	if h.Get("x-acs-action") == "" {
		return params
	}
	for header, name := range headerParams {
		if value := h.Get(header); value != "" {
			params[name] = value
		}
	}
	if !strings.Contains(h.Get("Accept"), "xml") {
		params["Format"] = "JSON"
	}
	return params
}
