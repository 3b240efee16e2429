package storage

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// Limits of a CORS configuration (OSS documentation, PutBucketCors).
const (
	maxCORSRules = 10
	maxCORSAge   = 999_999_999
)

var corsMethods = []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPost, http.MethodHead}

// A CORS is what a bucket has of CORS. It does not change.
type CORS struct {
	XMLName xml.Name   `xml:"CORSConfiguration" json:"-"`
	Rules   []CORSRule `xml:"CORSRule"`

	// ResponseVary sends Vary: Origin with each answer, for caches.
	ResponseVary bool
}

// A CORSRule is one rule: see osstest.CORSRule, which has the same fields.
type CORSRule struct {
	AllowedOrigins []string `xml:"AllowedOrigin"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedHeaders []string `xml:"AllowedHeader,omitempty"`
	ExposeHeaders  []string `xml:"ExposeHeader,omitempty"`
	MaxAgeSeconds  int      `xml:"MaxAgeSeconds,omitempty"`
}

// Check returns the error that OSS answers to a configuration that it refuses.
func (c *CORS) Check() *osserr.Error {
	if len(c.Rules) == 0 {
		return osserr.MalformedXML("0034-00000002")
	}
	if len(c.Rules) > maxCORSRules {
		return osserr.InvalidArgument("", fmt.Sprintf("The number of CORS rules should not exceed %d.", maxCORSRules), "CORSRule", fmt.Sprint(len(c.Rules)))
	}
	for i := range c.Rules {
		if aerr := c.Rules[i].check(); aerr != nil {
			return aerr
		}
	}
	return nil
}

func (r *CORSRule) check() *osserr.Error {
	switch {
	case len(r.AllowedOrigins) == 0:
		return errCORSRule("", "AllowedOrigin", "")
	case len(r.AllowedMethods) == 0:
		return errCORSRule("0034-00000011", "AllowedMethod", "")
	case r.MaxAgeSeconds < 0 || r.MaxAgeSeconds > maxCORSAge:
		return errCORSRule("", "MaxAgeSeconds", fmt.Sprint(r.MaxAgeSeconds))
	}
	for _, e := range []struct {
		ec, element string
		values      []string
		bad         func(string) bool
	}{
		{"", "AllowedOrigin", r.AllowedOrigins, twoStars},
		{"0034-00000011", "AllowedMethod", r.AllowedMethods, func(v string) bool { return !slices.Contains(corsMethods, v) }},
		{"", "AllowedHeader", r.AllowedHeaders, twoStars},
		{"0034-00000013", "ExposeHeader", r.ExposeHeaders, func(v string) bool { return v == "" || strings.ContainsAny(v, `*<>&'"`) }},
	} {
		if i := slices.IndexFunc(e.values, e.bad); i >= 0 {
			return errCORSRule(e.ec, e.element, e.values[i])
		}
	}
	return nil
}

func twoStars(v string) bool { return v == "" || strings.Count(v, "*") > 1 }

// errCORSRule is about an element whose value is not allowed.
func errCORSRule(ec, element, value string) *osserr.Error {
	return osserr.InvalidArgument(ec, "The value of "+element+" in a CORS rule is not valid.", element, osserr.XMLSafe(value))
}

// Trim takes white space off the values: the documentation's own example has some.
func (c *CORS) Trim() {
	for _, r := range c.Rules {
		for _, values := range [][]string{r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders} {
			for i := range values {
				values[i] = strings.TrimSpace(values[i])
			}
		}
	}
}

// Matches reports whether the rule allows a request. The wanted headers are those
// that a preflight asks for.
func (r *CORSRule) Matches(origin, method string, wanted []string) bool {
	if origin == "" || !slices.Contains(r.AllowedMethods, method) || !matchesAny(r.AllowedOrigins, origin) {
		return false
	}
	for _, name := range wanted {
		if !matchesAny(r.AllowedHeaders, name) {
			return false
		}
	}
	return true
}

// matchesAny reports whether text matches one of the patterns. Browsers send
// origins and header names in lower case, and neither means another thing in
// upper case.
func matchesAny(patterns []string, text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		before, after, wild := strings.Cut(strings.ToLower(pattern), "*")
		if !wild {
			return before == text
		}
		return len(text) >= len(before)+len(after) && strings.HasPrefix(text, before) && strings.HasSuffix(text, after)
	})
}
