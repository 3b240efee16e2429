package osstest

import (
	"net/http"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

const metaPrefix = "X-Oss-Meta-"

// keptHeaders are the headers that are stored with an object, beside its user
// metadata.
var keptHeaders = []string{
	"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires",
	"X-Oss-Server-Side-Encryption", "X-Oss-Server-Side-Encryption-Key-Id", "X-Oss-Server-Side-Data-Encryption",
	"X-Oss-Tagging", "X-Oss-Notification",
}

// unechoed are the kept headers that GetObject and HeadObject do not show.
var unechoed = map[string]bool{"X-Oss-Tagging": true, "X-Oss-Notification": true}

// attributes are what PutObject and InitiateMultipartUpload say about an object
// beside its bytes.
type attributes struct {
	Header       http.Header
	StorageClass string
	ACL          string
}

// attributesOf reads and checks the attributes in a request's headers.
func attributesOf(h http.Header) (attributes, *osserr.Error) {
	checks := []*osserr.Error{
		oneOf(h, "X-Oss-Storage-Class", storageClasses...),
		oneOf(h, "X-Oss-Object-Acl", objectACLs...),
		oneOf(h, "X-Oss-Forbid-Overwrite", "true", "false"),
		checkEncryption(h),
		checkMetadata(h),
		checkTags(h.Get("X-Oss-Tagging")),
	}
	for _, aerr := range checks {
		if aerr != nil {
			return attributes{}, aerr
		}
	}
	a := attributes{Header: http.Header{}, StorageClass: h.Get("X-Oss-Storage-Class"), ACL: h.Get("X-Oss-Object-Acl")}
	for _, name := range keptHeaders {
		if v := h.Get(name); v != "" {
			a.Header.Set(name, v)
		}
	}
	for name, values := range h {
		if strings.HasPrefix(name, metaPrefix) {
			a.Header[name] = values
		}
	}
	if a.Header.Get("Content-Type") == "" {
		a.Header.Set("Content-Type", "application/octet-stream")
	}
	if a.ACL == "" {
		a.ACL = "default"
	}
	return a, nil
}

// inBucket fills in what an object has from its bucket.
func (a attributes) inBucket(b *bucket) attributes {
	if a.StorageClass == "" {
		a.StorageClass = b.StorageClass
	}
	return a
}

func checkEncryption(h http.Header) *osserr.Error {
	switch v := h.Get("X-Oss-Server-Side-Encryption"); v {
	case "", "AES256", "KMS", "SM4":
		return nil
	default:
		return osserr.InvalidEncryption(v)
	}
}

// echoEncryption sets the headers that say how its object will be encrypted.
func echoEncryption(w http.ResponseWriter, h http.Header) {
	for _, name := range []string{"X-Oss-Server-Side-Encryption", "X-Oss-Server-Side-Encryption-Key-Id"} {
		if v := h.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
}

// forbidsOverwrite reports whether a request wants to fail if the object exists.
func forbidsOverwrite(h http.Header) bool { return h.Get("X-Oss-Forbid-Overwrite") == "true" }
