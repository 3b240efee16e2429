package openapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// ACS3 is the name of the signature that the current SDKs use: version 3, with
// HMAC-SHA256, in the header Authorization.
const ACS3 = "ACS3-HMAC-SHA256"

// emptyPath is that of a request without one.
const emptyPath = "/"

// An ACS3Request is what the signature ACS3-HMAC-SHA256 covers of a request (Alibaba
// Cloud SDK documentation, Request syntax and signature method V3). Calls of the RPC
// style have the path "/", and their action, version, time stamp, nonce and security
// token in headers that begin with "x-acs-".
type ACS3Request struct {
	Method string     // in capitals
	Path   string     // escaped; empty means "/"
	Query  url.Values // all parameters of the query

	// Header are the headers that are signed, by name in lower case: host,
	// content-type where there is a body, and all that begin with "x-acs-".
	Header map[string]string

	// BodySHA256 is the SHA-256 of the body, in lower-case hexadecimal.
	BodySHA256 string
}

// SHA256 returns the hash of a body as the signature and the header
// x-acs-content-sha256 have it.
func SHA256(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// SignedHeaders returns the sorted names of the signed headers.
func (r ACS3Request) SignedHeaders() []string { return slices.Sorted(maps.Keys(r.Header)) }

// Canonical returns the request in the form that is hashed.
func (r ACS3Request) Canonical() string {
	path := r.Path
	if path == "" {
		path = emptyPath
	}
	var headers strings.Builder
	for _, name := range r.SignedHeaders() {
		headers.WriteString(name + ":" + strings.TrimSpace(r.Header[name]) + "\n")
	}
	return strings.Join([]string{r.Method, path, canonicalQuery(r.Query), headers.String(),
		strings.Join(r.SignedHeaders(), ";"), r.BodySHA256}, "\n")
}

// canonicalQuery returns the parameters sorted by name and then by value.
func canonicalQuery(query url.Values) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range slices.Sorted(slices.Values(query[name])) {
			pairs = append(pairs, Escape(name)+"="+Escape(value))
		}
	}
	return strings.Join(pairs, "&")
}

// StringToSign returns what [ACS3Request.Sign] signs.
func (r ACS3Request) StringToSign() string { return ACS3 + "\n" + SHA256([]byte(r.Canonical())) }

// Sign returns the signature in hexadecimal.
func (r ACS3Request) Sign(accessKeySecret string) string {
	mac := hmac.New(sha256.New, []byte(accessKeySecret))
	mac.Write([]byte(r.StringToSign()))
	return hex.EncodeToString(mac.Sum(nil))
}

// Authorization returns the header of that name.
func (r ACS3Request) Authorization(accessKeyID, accessKeySecret string) string {
	return ACS3 + " Credential=" + accessKeyID + ",SignedHeaders=" + strings.Join(r.SignedHeaders(), ";") +
		",Signature=" + r.Sign(accessKeySecret)
}
