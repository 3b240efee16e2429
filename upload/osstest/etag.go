package osstest

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// bodyETag returns the ETag, without quotes, of a body with the given MD5: its
// digits in upper case.
func bodyETag(h hash.Hash) string { return strings.ToUpper(hex.EncodeToString(h.Sum(nil))) }

// partsETag returns the ETag, without quotes, of an object made of parts with
// the given ETags. Unlike S3, OSS hashes the digits of the parts' MD5s, in
// upper case, and not their bytes.
func partsETag(parts []string) string {
	h := md5.New()
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return fmt.Sprintf("%s-%d", bodyETag(h), len(parts))
}

func quoted(etag string) string { return `"` + etag + `"` }

// unquoted returns an ETag as a client may send it, in the form that the
// server keeps.
func unquoted(etag string) string { return strings.ToUpper(bare(etag)) }

// bare returns an ETag without its quotation marks and the sign of a weak one.
func bare(etag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(etag), "W/"), `"`)
}
