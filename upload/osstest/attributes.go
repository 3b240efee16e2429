package osstest

import (
	"net/http"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// unechoed are the kept headers that GetObject and HeadObject do not show.
var unechoed = map[string]bool{"X-Oss-Tagging": true, "X-Oss-Notification": true}

// attributesOf reads and checks the attributes in a request's headers.
func attributesOf(h http.Header) (storage.Attributes, *osserr.Error) {
	checks := []*osserr.Error{
		oneOf(h, "X-Oss-Storage-Class", storage.StorageClasses...),
		oneOf(h, "X-Oss-Object-Acl", storage.ObjectACLs...),
		oneOf(h, "X-Oss-Forbid-Overwrite", "true", "false"),
		checkEncryption(h),
		checkMetadata(h),
		checkTags(h.Get("X-Oss-Tagging")),
	}
	for _, aerr := range checks {
		if aerr != nil {
			return storage.Attributes{}, aerr
		}
	}
	a := storage.Attributes{Header: http.Header{}, StorageClass: h.Get("X-Oss-Storage-Class"), ACL: h.Get("X-Oss-Object-Acl")}
	for _, name := range storage.KeptHeaders {
		if v := h.Get(name); v != "" {
			a.Header.Set(name, v)
		}
	}
	for name, values := range h {
		if strings.HasPrefix(name, storage.MetaPrefix) {
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
