package target

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The operations that take options, by their names in OSS's API reference.
const (
	OpPut        = "PutObject"
	OpInitiate   = "InitiateMultipartUpload"
	OpUploadPart = "UploadPart"
	OpComplete   = "CompleteMultipartUpload"
)

const contentType = "Content-Type"

const defaultContentType = "application/octet-stream"

// reserved are the headers that the request sets itself: a user's own would break
// the signature, the clock correction or the framing.
var reserved = map[string]bool{
	"Authorization":        true,
	"Connection":           true,
	"Content-Length":       true,
	"Date":                 true,
	"Expect":               true,
	"Host":                 true,
	"Trailer":              true,
	"Transfer-Encoding":    true,
	"Upgrade":              true,
	"X-Oss-Content-Sha256": true,
	"X-Oss-Date":           true,
	"X-Oss-Security-Token": true,
}

// HeadersFor returns the headers that o means for one operation: those that the
// operation honours, and only those (OSS documentation of the operations). o may be
// nil.
func HeadersFor(op string, o *ObjectOptions) map[string]string {
	if o == nil {
		o = &ObjectOptions{}
	}
	h := make(map[string]string, 8)
	set := func(name, value string) {
		if value != "" {
			h[name] = trimmed(value)
		}
	}
	if op == OpPut || op == OpInitiate {
		propertyHeaders(h, o)
	}
	if op == OpPut || op == OpInitiate || op == OpComplete {
		if o.ForbidOverwrite {
			set("X-Oss-Forbid-Overwrite", "true")
		}
	}
	if op == OpPut || op == OpComplete {
		set("X-Oss-Callback", o.Callback)
		set("X-Oss-Callback-Var", o.CallbackVar)
		set("X-Oss-Notification", o.Notification)
	}
	if (op == OpPut || op == OpUploadPart) && o.TrafficLimit != 0 {
		set("X-Oss-Traffic-Limit", strconv.FormatInt(o.TrafficLimit, 10))
	}
	if o.RequestPayer {
		set("X-Oss-Request-Payer", "requester")
	}
	return h
}

// propertyHeaders adds what is stored with the object.
func propertyHeaders(h map[string]string, o *ObjectOptions) {
	// The SDK would guess a missing type from the mime files of the machine, so that
	// the same upload gave different objects on different machines.
	h[contentType] = defaultContentType
	for k, v := range o.Headers {
		if name := http.CanonicalHeaderKey(k); !reserved[name] {
			h[name] = trimmed(v)
		}
	}
	for k, v := range o.Metadata {
		h[http.CanonicalHeaderKey("x-oss-meta-"+k)] = trimmed(v)
	}
	for _, f := range [...]struct{ name, value string }{
		{contentType, o.ContentType},
		{"Cache-Control", o.CacheControl},
		{"Content-Disposition", o.ContentDisposition},
		{"Content-Encoding", o.ContentEncoding},
		{"X-Oss-Storage-Class", o.StorageClass},
		{"X-Oss-Object-Acl", o.ACL},
		{"X-Oss-Tagging", encodeTags(o.Tags)},
		{"X-Oss-Server-Side-Encryption", o.Encryption},
		{"X-Oss-Server-Side-Encryption-Key-Id", o.EncryptionKeyID},
	} {
		if f.value != "" {
			h[f.name] = trimmed(f.value)
		}
	}
	if !o.Expires.IsZero() {
		h["Expires"] = o.Expires.UTC().Format(http.TimeFormat)
	}
}

// encodeTags returns "k1=v1&k2=v2", percent-encoded, in the order of the keys.
func encodeTags(tags map[string]string) string {
	if len(tags) == 0 {
		return ""
	}
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(tags)) {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(percent(k) + "=" + percent(tags[k]))
	}
	return b.String()
}

func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// trimmed cuts the spaces around a value. net/http and the SDK cut some of them, each
// others, before they send and sign it; what is sent must be what is signed.
func trimmed(v string) string { return strings.TrimSpace(v) }
