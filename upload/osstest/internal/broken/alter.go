package broken

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// WrongETag changes the ETag in a header and in the XML of an answer to another
// one of the same form. It returns the new XML, and whether anything changed.
func WrongETag(h http.Header, xml []byte) ([]byte, bool) {
	inHeader := changeHeader(h, "Etag", otherETag)
	xml, inBody := replace(xml, []string{"ETag"}, changed(otherETag))
	return xml, inHeader || inBody
}

// WrongCRC64 changes the CRC64 in a header and in the XML of an answer. It returns
// the new XML, and whether anything changed.
func WrongCRC64(h http.Header, xml []byte) ([]byte, bool) {
	inHeader := changeHeader(h, "X-Oss-Hash-Crc64ecma", otherCRC64)
	xml, inBody := replace(xml, []string{"HashCrc64ecma"}, changed(otherCRC64))
	return xml, inHeader || inBody
}

// DropHeaders removes the named headers, and reports whether there was one.
func DropHeaders(h http.Header, names []string) bool {
	dropped := false
	for name := range h {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			delete(h, name)
			dropped = true
		}
	}
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, "Date") }) {
		h["Date"] = nil // net/http makes one otherwise
		dropped = true
	}
	return dropped
}

func changeHeader(h http.Header, name string, other func(string) string) bool {
	old := h.Get(name)
	if old == "" || other(old) == old {
		return false
	}
	h.Set(name, other(old))
	return true
}

// DropElements removes the elements of the given names from XML. It returns the
// new XML, and whether anything changed.
func DropElements(xml []byte, names []string) ([]byte, bool) {
	return replace(xml, names, func([]byte) []byte { return nil })
}

func replace(old []byte, names []string, with func(element []byte) []byte) (xml []byte, changed bool) {
	xml = old
	for _, name := range names {
		name = regexp.QuoteMeta(name)
		element := regexp.MustCompile(`(?s)[ \t]*<` + name + `(>.*?</` + name + `>|\s*/>)\n?`)
		xml = element.ReplaceAllFunc(xml, with)
	}
	return xml, !bytes.Equal(old, xml)
}

// changed returns a replacement for elements that changes their text.
func changed(other func(string) string) func([]byte) []byte {
	return func(element []byte) []byte { return []byte(other(string(element))) }
}

var (
	md5Digits = regexp.MustCompile(`[0-9A-Fa-f]{32}`)
	crcValue  = regexp.MustCompile(`\b[0-9]+\b`)
)

// otherETag returns text with another MD5 in it.
func otherETag(text string) string {
	return md5Digits.ReplaceAllStringFunc(text, func(sum string) string {
		first := "0"
		if sum[0] == '0' {
			first = "1"
		}
		return first + sum[1:]
	})
}

// otherCRC64 returns text with another CRC64 in it.
func otherCRC64(text string) string {
	return crcValue.ReplaceAllStringFunc(text, func(sum string) string {
		n, err := strconv.ParseUint(sum, 10, 64)
		if err != nil {
			return sum
		}
		return strconv.FormatUint(n^1, 10)
	})
}
