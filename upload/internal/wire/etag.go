package wire

import "strings"

// normaliseETag returns an ETag without quotation marks and in upper case, so that two
// of them can be compared: OSS quotes them in headers, not always in XML, and takes
// them in either case.
func normaliseETag(s string) string {
	return strings.ToUpper(strings.Trim(strings.TrimSpace(s), `"`))
}
