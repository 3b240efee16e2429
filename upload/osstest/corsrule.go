package osstest

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// A CORSRule allows pages of other origins to use a bucket from a browser. It follows
// the OSS documentation, PutBucketCors: the first rule that matches a request's
// origin and method, and all headers that a preflight asks for, decides. Without
// one, a browser keeps the answer from the page, and sends nothing that needs a
// preflight, which is all uploads.
type CORSRule struct {
	// AllowedOrigins are scheme, host and port of pages, such as
	// https://example.com, each with at most one *, which stands for any text.
	// At least one is needed.
	AllowedOrigins []string

	// AllowedMethods are among GET, PUT, POST, DELETE and HEAD. At least one is
	// needed.
	AllowedMethods []string

	// AllowedHeaders are the request headers that a page may set, in any case,
	// each with at most one *. The web SDKs set several: * is the usual value.
	AllowedHeaders []string

	// ExposeHeaders are the headers of an answer that a page may read. A page that
	// uploads in parts has to read ETag. There is no wildcard.
	ExposeHeaders []string

	// MaxAgeSeconds is how long a browser may remember the answer to a preflight.
	// The default is to send no limit, which means a few seconds.
	MaxAgeSeconds int
}

// corsOf returns the configuration of a bucket with these rules; nil if there are none.
func corsOf(rules []CORSRule) *storage.CORS {
	if len(rules) == 0 {
		return nil
	}
	c := &storage.CORS{}
	for _, r := range rules {
		c.Rules = append(c.Rules, storage.CORSRule(r))
	}
	return c
}

func validateCORS(rules []CORSRule) error {
	c := corsOf(rules)
	if c == nil {
		return nil
	}
	if aerr := c.Check(); aerr != nil {
		return fmt.Errorf("osstest: CORS in the options: %w", aerr.AsError())
	}
	return nil
}
