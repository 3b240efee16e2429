package wire

import (
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// ObjectOptions are the properties of the object to be made. Each is sent with
// the requests that honour it, and only those.
type ObjectOptions struct {
	ContentType        string // empty: application/octet-stream
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	Expires            time.Time
	StorageClass       string            // Standard, IA, Archive, ColdArchive, DeepColdArchive
	ACL                string            // private, public-read, public-read-write, default
	Metadata           map[string]string // x-oss-meta-*
	Tags               map[string]string
	Encryption         string // x-oss-server-side-encryption: AES256, KMS, SM4
	EncryptionKeyID    string // of KMS
	ForbidOverwrite    bool
	Callback           string // base64 of the JSON
	CallbackVar        string // base64 of the JSON
	Notification       string // base64 of the JSON; x-oss-notification
	TrafficLimit       int64  // bit/s, 819,200 to 838,860,800; 0: none
	RequestPayer       bool
	Headers            map[string]string // sent with Put and Initiate as they are; the fields above win over them
}

// What OSS allows (OSS documentation, PutObject, PutObjectTagging, Single-connection
// bandwidth throttling and Callback).
const (
	minTrafficLimit = 819_200
	maxTrafficLimit = 838_860_800
	maxMetadata     = 8 << 10 // bytes, names and values together
	maxTags         = 10
	maxTagKey       = 128
	maxTagValue     = 256
	maxCallback     = 5 << 10
)

// Validate returns an error that names the option which OSS, or HTTP, would not
// take. The calls do it themselves; it is there so that a bad option shows before a
// file is begun. o may be nil.
func (o *ObjectOptions) Validate() error {
	if o == nil {
		return nil
	}
	if l := o.TrafficLimit; l != 0 && (l < minTrafficLimit || l > maxTrafficLimit) {
		return fmt.Errorf("traffic limit of %d bit/s: want %d to %d, or 0 for none", l, minTrafficLimit, maxTrafficLimit)
	}
	if n := len(o.Callback) + len(o.CallbackVar); n > maxCallback {
		return fmt.Errorf("callback and its variables have %d bytes in base64: want at most %d", n, maxCallback)
	}
	if err := checkTags(o.Tags); err != nil {
		return err
	}
	if err := checkMetadata(o.Metadata); err != nil {
		return err
	}
	return o.checkHeaders()
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fmt.Errorf("%d tags: want at most %d", len(tags), maxTags)
	}
	for k, v := range tags {
		switch {
		case k == "" || len(k) > maxTagKey:
			return fmt.Errorf("tag %q has a key of %d bytes: want 1 to %d", clip(k), len(k), maxTagKey)
		case len(v) > maxTagValue:
			return fmt.Errorf("tag %q has a value of %d bytes: want at most %d", k, len(v), maxTagValue)
		case !utf8.ValidString(k) || !utf8.ValidString(v):
			return fmt.Errorf("tag %q is not valid UTF-8", k)
		}
	}
	return nil
}

func checkMetadata(meta map[string]string) error {
	if len(meta) == 0 {
		return nil // as nearly always
	}
	total := 0
	seen := make(map[string]string, len(meta))
	for k, v := range meta {
		total += len(k) + len(v)
		name := http.CanonicalHeaderKey(k)
		if other, ok := seen[name]; ok {
			return fmt.Errorf("metadata %q and %q are the same name: OSS does not tell case apart", other, k)
		}
		seen[name] = k
	}
	if total > maxMetadata {
		return fmt.Errorf("metadata of %d bytes: want at most %d", total, maxMetadata)
	}
	return nil
}

// checkHeaders returns an error for a header that cannot be sent, or that would
// break the signature.
func (o *ObjectOptions) checkHeaders() error {
	seen := make(map[string]string, len(o.Headers))
	for k := range o.Headers {
		name := http.CanonicalHeaderKey(k)
		if reserved[name] {
			return fmt.Errorf("header %s is set by the request itself", name)
		}
		if other, ok := seen[name]; ok {
			return fmt.Errorf("headers %q and %q are the same", other, k)
		}
		seen[name] = k
	}
	for name, value := range headersFor(opPut, o) {
		if !validName(name) {
			return fmt.Errorf("header %q: want letters, digits and hyphens in its name", name)
		}
		if !validValue(value) {
			return fmt.Errorf("header %s has a control character in its value", name)
		}
	}
	return nil
}

// validName reports whether s is a token of HTTP.
func validName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !isLower(c) && !isDigit(c) && (c < 'A' || c > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}

func validValue(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
