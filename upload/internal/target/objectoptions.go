package target

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
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

// Validate returns a *[FieldError] of the option which OSS, or HTTP, would not take.
// The calls do it themselves; it is there so that a bad option shows before a file is
// begun. o may be nil.
func (o *ObjectOptions) Validate() error {
	if o == nil {
		return nil
	}
	return firstOf(
		FieldError{"StorageClass", oneOf(o.StorageClass, "Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")},
		FieldError{"ACL", oneOf(o.ACL, "private", "public-read", "public-read-write", "default")},
		FieldError{"Encryption", oneOf(o.Encryption, "AES256", "KMS", "SM4")},
		FieldError{"TrafficLimit", checkTrafficLimit(o.TrafficLimit)},
		FieldError{"Callback", checkCallback(len(o.Callback) + len(o.CallbackVar))},
		FieldError{"Tags", checkTags(o.Tags)},
		FieldError{"Metadata", checkMetadata(o.Metadata)},
		FieldError{"Headers", checkHeaders(o.Headers)},
		FieldError{"ContentType", checkValue(o.ContentType)},
		FieldError{"CacheControl", checkValue(o.CacheControl)},
		FieldError{"ContentDisposition", checkValue(o.ContentDisposition)},
		FieldError{"ContentEncoding", checkValue(o.ContentEncoding)},
		FieldError{"EncryptionKeyID", checkValue(o.EncryptionKeyID)},
	)
}

func oneOf(got string, want ...string) error {
	if got == "" || slices.Contains(want, got) {
		return nil
	}
	return fmt.Errorf("got %q, want one of %s", Clip(got), strings.Join(want, ", "))
}

func checkTrafficLimit(got int64) error {
	if got == 0 || got >= minTrafficLimit && got <= maxTrafficLimit {
		return nil
	}
	return fmt.Errorf("got %d bit/s, want 0 for none, or %d to %d", got, minTrafficLimit, maxTrafficLimit)
}

func checkCallback(size int) error {
	if size <= maxCallback {
		return nil
	}
	return fmt.Errorf("got %d bytes as a header, the Vars included; want at most %d", size, maxCallback)
}

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fmt.Errorf("got %d, want at most %d", len(tags), maxTags)
	}
	for k, v := range tags {
		switch {
		case k == "" || len(k) > maxTagKey:
			return fmt.Errorf("%q has a key of %d bytes: want 1 to %d", Clip(k), len(k), maxTagKey)
		case len(v) > maxTagValue:
			return fmt.Errorf("%q has a value of %d bytes: want at most %d", k, len(v), maxTagValue)
		case !utf8.ValidString(k) || !utf8.ValidString(v):
			return fmt.Errorf("%q is not valid UTF-8", k)
		case strings.ContainsFunc(k+v, unicode.IsControl):
			return fmt.Errorf("%q has a control character", k)
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
		total += len(metaPrefix) + len(k) + len(v)
		name := http.CanonicalHeaderKey(k)
		if other, ok := seen[name]; ok {
			return fmt.Errorf("%q and %q are the same name: OSS does not distinguish case", other, k)
		}
		if err := checkMeta(k, v); err != nil {
			return err
		}
		seen[name] = k
	}
	if total > maxMetadata {
		return fmt.Errorf("got %d bytes, want at most %d", total, maxMetadata)
	}
	return nil
}

// checkMeta returns an error for a name or a value of metadata that OSS would refuse
// (OSS documentation, EC 0011-00000004 and 0011-00000005).
func checkMeta(name, value string) error {
	if name == "" || strings.ContainsFunc(name, func(c rune) bool {
		return !isLower(c) && !isDigit(c) && (c < 'A' || c > 'Z') && c != '-'
	}) {
		return fmt.Errorf("name %q: want letters, digits and hyphens", Clip(name))
	}
	for i, c := range value {
		if c < ' ' || c > '~' {
			return fmt.Errorf("value of %s has %U at byte %d: want printable ASCII; encode other text, in base64 for example", name, c, i)
		}
	}
	return nil
}

const metaPrefix = "X-Oss-Meta-"

// checkHeaders returns an error for a header that cannot be sent, or that would
// break the signature.
func checkHeaders(headers map[string]string) error {
	seen := make(map[string]string, len(headers))
	for k, v := range headers {
		name := http.CanonicalHeaderKey(k)
		err := checkValue(v)
		meta, ok := strings.CutPrefix(name, metaPrefix)
		switch {
		case reserved[name]:
			return fmt.Errorf("%s is set by the request itself", name)
		case !validName(k):
			return fmt.Errorf("name %q: want letters, digits and hyphens", Clip(k))
		case ok:
			err = checkMeta(meta, v)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if other, ok := seen[name]; ok {
			return fmt.Errorf("%q and %q are the same header", other, k)
		}
		seen[name] = k
	}
	return nil
}

// validName reports whether s is a token of HTTP.
func validName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !isLower(c) && !isDigit(c) && (c < 'A' || c > 'Z') && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}

// checkValue returns an error if s cannot be the value of a header. Spaces around it
// are not sent.
func checkValue(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("value is not valid UTF-8")
	}
	for i, c := range s {
		if unicode.IsControl(c) || c == '\u2028' || c == '\u2029' {
			return fmt.Errorf("value has %U at byte %d, a control character", c, i)
		}
	}
	return nil
}

// HasCallback reports whether the answer to a request with o is that of the
// application's server. o may be nil.
func (o *ObjectOptions) HasCallback() bool { return o != nil && o.Callback != "" }
