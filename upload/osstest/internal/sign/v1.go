package sign

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Target is the bucket and the decoded object name that a request is about,
// in whatever style its URL names them. Signatures are over these.
type Target struct {
	Bucket string // empty for the service
	Key    string // empty for a bucket
}

// path is the target as both signatures write it, before any encoding.
func (t Target) path() string {
	if t.Bucket == "" {
		return "/"
	}
	return "/" + t.Bucket + "/" + t.Key
}

// V1 is signature version 1 of a string: base64(hmac-sha1).
func V1(secret, stringToSign string) string {
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(stringToSign))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// StringToSignV1 is what version 1 signs (OSS documentation, Include
// signatures in the Authorization header; Add signatures to URLs). date is the
// request's date, or the Expires of a signed URL.
func StringToSignV1(r *http.Request, t Target, query url.Values, date string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	b.WriteString(r.Header.Get("Content-MD5") + "\n")
	b.WriteString(r.Header.Get("Content-Type") + "\n")
	b.WriteString(date + "\n")
	writeHeaders(&b, r, isOSSHeader)
	b.WriteString(t.path())
	separator := "?"
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !isSubResource(name) {
			continue
		}
		b.WriteString(separator + name)
		separator = "&"
		if value := query.Get(name); value != "" {
			b.WriteString("=" + value)
		}
	}
	return b.String()
}

// isOSSHeader reports whether both signatures include a header even if no list
// names it; name is lower-case.
func isOSSHeader(name string) bool { return strings.HasPrefix(name, "x-oss-") }

// writeHeaders writes the headers that are chosen by their lower-case name,
// sorted, one to a line.
func writeHeaders(b *strings.Builder, r *http.Request, chosen func(name string) bool) {
	lines := make(map[string]string)
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if !chosen(name) {
			continue
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.TrimSpace(v)
		}
		lines[name] = strings.Join(trimmed, ",")
	}
	// net/http takes Host out of the headers.
	if _, ok := lines["host"]; !ok && chosen("host") {
		lines["host"] = r.Host
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		b.WriteString(name + ":" + lines[name] + "\n")
	}
}

// isSubResource reports whether version 1 signs a query parameter: those of
// the list, and all that begin with x-oss-.
func isSubResource(name string) bool {
	return isOSSHeader(name) || subResources[name]
}

var subResources = func() map[string]bool {
	set := make(map[string]bool)
	for _, name := range strings.Fields(`
		acl append asyncFetch bucketInfo callback callback-var cloudboxes cname
		comp continuation-token cors delete encryption endTime img inventory
		inventoryId lifecycle live location logging metaQuery objectMeta
		partNumber policy position qos qosInfo referer regionList replication
		replicationLocation replicationProgress requestPayment resourceGroup
		response-cache-control response-content-disposition
		response-content-encoding response-content-language
		response-content-type response-expires responseHeader restore rtc
		security-token sequential startTime stat status style styleName symlink
		tagging transferAcceleration udf udfApplication udfApplicationLog udfId
		udfImage udfImageDesc udfName uploadId uploads versionId versioning
		versions vod website withHashContext worm wormExtend wormId
	`) {
		set[name] = true
	}
	return set
}()
