package osstest

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
	maxCORSBody  = 16 << 10
	maxCORSAge   = 999_999_999
)

var corsMethods = []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPost, http.MethodHead}

// A corsConfiguration is what a bucket has of CORS. It does not change.
type corsConfiguration struct {
	XMLName xml.Name   `xml:"CORSConfiguration" json:"-"`
	Rules   []CORSRule `xml:"CORSRule"`

	// ResponseVary sends Vary: Origin with each answer, for caches.
	ResponseVary bool
}

// newCORS returns the configuration of a bucket that is created, or nil.
func (o *Options) newCORS() *corsConfiguration {
	if len(o.CORS) == 0 {
		return nil
	}
	return &corsConfiguration{Rules: slices.Clone(o.CORS)}
}

func validateCORS(rules []CORSRule) error {
	c := &corsConfiguration{Rules: rules}
	if len(rules) == 0 {
		return nil
	}
	if aerr := c.check(); aerr != nil {
		return fmt.Errorf("osstest: CORS in the options: %w", aerr.AsError())
	}
	return nil
}

// check returns the error that OSS answers to a configuration that it refuses.
func (c *corsConfiguration) check() *osserr.Error {
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

func (s *Server) putBucketCORS(w http.ResponseWriter, req *request) *osserr.Error {
	body, aerr := readXMLBody(req)
	if aerr != nil {
		return aerr
	}
	if len(body) > maxCORSBody {
		return osserr.MalformedXML("")
	}
	var c corsConfiguration
	if err := xml.Unmarshal(body, &c); err != nil {
		return osserr.MalformedXML("")
	}
	c.trim()
	if aerr := c.check(); aerr != nil {
		return aerr
	}
	return s.alterBucket(w, req, func(b *bucket) *osserr.Error {
		b.CORS = &c
		return nil
	})
}

// trim takes white space off the values: the documentation's own example has some.
func (c *corsConfiguration) trim() {
	for _, r := range c.Rules {
		for _, values := range [][]string{r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders} {
			for i := range values {
				values[i] = strings.TrimSpace(values[i])
			}
		}
	}
}

func (s *Server) getBucketCORS(w http.ResponseWriter, req *request) *osserr.Error {
	b, aerr := s.bucketNow(req.bucket)
	switch {
	case aerr != nil:
		return aerr
	case b.CORS == nil:
		return errNoSuchCORS(req.bucket)
	}
	s.writeXML(w, req, b.CORS)
	return nil
}

func errNoSuchCORS(bucket string) *osserr.Error {
	return (&osserr.Error{Status: http.StatusNotFound, Code: "NoSuchCORSConfiguration", EC: "0034-00000001",
		Message: "The CORS Configuration does not exist."}).
		With("BucketName", bucket)
}

// deleteBucketCORS succeeds as well where there are no rules.
func (s *Server) deleteBucketCORS(w http.ResponseWriter, req *request) *osserr.Error {
	aerr := s.alter(req.bucket, func(b *bucket) *osserr.Error {
		b.CORS = nil
		return nil
	})
	if aerr != nil {
		return aerr
	}
	s.writeEmpty(w, req, http.StatusNoContent)
	return nil
}
