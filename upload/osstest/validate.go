package osstest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// Limits of the service (OSS documentation, Limits).
const (
	minPartSize    = osserr.MinPartSize
	maxPartSize    = osserr.MaxPartSize
	maxMetadata    = 8 << 10
	maxTags        = 10
	maxTagKey      = 128
	maxTagValue    = 256
	maxXMLBody     = 8 << 20 // 10,000 parts are about 1.2 MiB
	maxDeleteKeys  = 1000
	minTrafficRate = 819200
	maxTrafficRate = 838860800
)

// oneOf refuses a header whose value is not among the allowed ones. A header
// that is absent is fine.
func oneOf(h http.Header, name string, allowed ...string) *osserr.Error {
	v := h.Get(name)
	if v == "" || slices.Contains(allowed, v) {
		return nil
	}
	return osserr.InvalidArgument("", "The value of "+strings.ToLower(name)+" is not valid.", strings.ToLower(name), v)
}

// checkMetadata refuses more user metadata than OSS keeps, and names of other
// characters than letters, digits and hyphens.
func checkMetadata(h http.Header) *osserr.Error {
	size := 0
	for name, values := range h {
		if !strings.HasPrefix(name, storage.MetaPrefix) {
			continue
		}
		if strings.ContainsFunc(name, notInMetaName) || name == storage.MetaPrefix {
			return osserr.MetadataName(name)
		}
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > maxMetadata {
		return osserr.MetadataTooLarge()
	}
	return nil
}

func notInMetaName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
}

// checkTags refuses an x-oss-tagging header that is malformed, has too many
// tags, has a key twice, or has a key or a value that is too long.
func checkTags(tagging string) *osserr.Error {
	if tagging == "" {
		return nil
	}
	bad := func(why string) *osserr.Error {
		return osserr.InvalidArgument("", why, "x-oss-tagging", tagging)
	}
	pairs := strings.Split(tagging, "&")
	if len(pairs) > maxTags {
		return bad("The number of object tags cannot be greater than 10.")
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		k, v, _ := strings.Cut(pair, "=")
		key, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		switch {
		case err1 != nil || err2 != nil:
			return bad("The tagging header is not URL-encoded.")
		case key == "" || len(key) > maxTagKey:
			return bad("The TagKey you have provided is invalid.")
		case len(value) > maxTagValue:
			return bad("The TagValue you have provided is invalid.")
		case seen[key]:
			return bad("Cannot provide multiple Tags with the same key.")
		}
		seen[key] = true
	}
	return nil
}

// tagCount returns the number of tags in an x-oss-tagging header.
func tagCount(tagging string) int {
	if tagging == "" {
		return 0
	}
	return strings.Count(tagging, "&") + 1
}
