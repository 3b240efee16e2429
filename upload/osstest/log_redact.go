package osstest

import (
	"bytes"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// redaction stands where a secret was.
const redaction = "redacted"

// redacted returns the call for others to see.
func (e *logEntry) redacted() Request {
	r := e.call
	r.Header = maps.Clone(r.Header)
	for name, values := range r.Header {
		switch name {
		case "Authorization":
			r.Header[name] = []string{redactedAuthorization(values)}
		case "X-Oss-Security-Token":
			r.Header[name] = []string{redaction}
		default:
			r.Header[name] = slices.Clone(values)
		}
	}
	r.Query = redactedQuery(r.Query)
	return r
}

// redactedAuthorization keeps the scheme, which shows the version of the signature.
func redactedAuthorization(values []string) string {
	scheme, _, found := strings.Cut(values[0], " ")
	if !found {
		return redaction
	}
	return scheme + " " + redaction
}

func redactedQuery(q url.Values) url.Values {
	q = maps.Clone(q)
	for name, values := range q {
		switch strings.ToLower(name) {
		case "signature", "x-oss-signature", "security-token", "x-oss-security-token":
			q[name] = []string{redaction}
		default:
			q[name] = slices.Clone(values)
		}
	}
	return q
}

// codeInHeader returns the error code that the answer to a HEAD has, or "".
func codeInHeader(h http.Header) string {
	text, err := base64.StdEncoding.DecodeString(h.Get("X-Oss-Err"))
	if err != nil {
		return ""
	}
	return between(text, "<Code>", "</Code>")
}

// codeInBody returns the error code that is in the body of an answer, or "".
func codeInBody(status int, body []byte) string {
	if status < 300 && status != http.StatusNonAuthoritativeInfo || !bytes.Contains(body, []byte("<Error>")) {
		return ""
	}
	return between(body, "<Code>", "</Code>")
}

func between(text []byte, from, to string) string {
	_, rest, found := bytes.Cut(text, []byte(from))
	inner, _, closed := bytes.Cut(rest, []byte(to))
	if !found || !closed {
		return ""
	}
	return string(inner)
}
