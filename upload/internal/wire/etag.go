package wire

import "strings"

// bareETag returns an ETag without what frames it: quotation marks, which OSS does not
// always write in XML, and the W/ of a weak one. The rest is opaque (RFC 9110, section
// 8.8.3): it goes back to the server as it came, and is compared by [SameETag].
func bareETag(s string) string {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "W/"); ok {
		s = rest
	}
	return strings.Trim(s, `"`)
}

// SameETag reports whether two ETags name the same bytes. OSS takes them in either
// case, and gateways change it. An empty one, as some servers give to each part, names
// nothing.
func SameETag(a, b string) bool { return a != "" && strings.EqualFold(a, b) }
