package osstest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// corsRule returns the rule that allows a request from another origin, or nil, and
// whether the bucket has any.
func (s *Server) corsRule(req *request) (rule *storage.CORSRule, enabled bool) {
	c := s.corsOfBucket(req.bucket)
	if c == nil {
		return nil, false
	}
	method, wanted := req.Method, []string(nil)
	if req.op == OpOptionObject {
		method = req.Header.Get("Access-Control-Request-Method")
		wanted = strings.FieldsFunc(req.Header.Get("Access-Control-Request-Headers"),
			func(r rune) bool { return r == ',' || r == ' ' })
	}
	for i := range c.Rules {
		if c.Rules[i].Matches(req.Header.Get("Origin"), method, wanted) {
			return &c.Rules[i], true
		}
	}
	return nil, true
}

// corsOfBucket returns the configuration of a bucket, or nil. It does not change.
func (s *Server) corsOfBucket(bucket string) *storage.CORS {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if b := s.buckets[bucket]; b != nil {
		return b.CORS
	}
	return nil
}

// setCORSHeaders allows a page of another origin to read the answer, if a rule of the
// bucket allows it. It comes before all else: pages read errors too.
func (s *Server) setCORSHeaders(h http.Header, req *request) {
	if c := s.corsOfBucket(req.bucket); c != nil && c.ResponseVary {
		h.Set("Vary", "Origin")
	}
	rule, _ := s.corsRule(req)
	if rule == nil {
		return
	}
	origin := req.Header.Get("Origin")
	if slices.Contains(rule.AllowedOrigins, "*") {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	method := req.Method
	if req.op == OpOptionObject {
		method = req.Header.Get("Access-Control-Request-Method")
		if wanted := req.Header.Get("Access-Control-Request-Headers"); wanted != "" {
			h.Set("Access-Control-Allow-Headers", wanted)
		}
	}
	h.Set("Access-Control-Allow-Methods", method)
	if len(rule.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(rule.ExposeHeaders, ", "))
	}
	if rule.MaxAgeSeconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(rule.MaxAgeSeconds))
	}
}

// optionObject answers a preflight. A browser signs none, and the object need not
// exist.
func (s *Server) optionObject(w http.ResponseWriter, req *request) *osserr.Error {
	if _, aerr := s.bucketNow(req.bucket); aerr != nil {
		return aerr
	}
	switch rule, enabled := s.corsRule(req); {
	case !enabled:
		return errCORSForbidden(req, "CORSResponse: CORS is not enabled for this bucket.")
	case rule == nil:
		return errCORSForbidden(req, "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "+
			"request method / Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by the resource's CORS spec.")
	}
	s.writeEmpty(w, req, http.StatusOK)
	return nil
}

// errCORSForbidden refuses a preflight. The misspelt words of its message are
// those of the service.
func errCORSForbidden(req *request, message string) *osserr.Error {
	kind := "BUCKET"
	if req.key != "" {
		kind = "OBJECT"
	}
	return (&osserr.Error{Status: http.StatusForbidden, Code: "AccessForbidden", Message: message}).
		With("Method", osserr.XMLSafe(req.Header.Get("Access-Control-Request-Method"))).With("ResourceType", kind)
}
