package osstest

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// alterAnswer changes an answer that was kept, as the faults want it. A fault that
// finds nothing to change does not strike.
func (x *exchange) alterAnswer() {
	for _, p := range x.chosen {
		if p.spec.effect.altersAnswer() && x.alterWith(&p.spec) {
			x.apply(p)
		}
	}
}

func (x *exchange) alterWith(f *faultSpec) bool {
	h := x.answer.Header()
	switch f.effect {
	case effectSetHeader:
		h.Set(f.names[0], f.value)
		return true
	case effectDropHeader:
		return dropHeaders(h, f.names)
	case effectDropElement:
		return x.replaceXML(f.names, func([]byte) []byte { return nil })
	case effectWrongETag:
		inHeader := changeHeader(h, "Etag", otherETag)
		inBody := x.replaceXML([]string{"ETag"}, changed(otherETag))
		return inHeader || inBody
	case effectWrongCRC64:
		inHeader := changeHeader(h, "X-Oss-Hash-Crc64ecma", otherCRC64)
		inBody := x.replaceXML([]string{"HashCrc64ecma"}, changed(otherCRC64))
		return inHeader || inBody
	}
	return false
}

func dropHeaders(h http.Header, names []string) bool {
	dropped := false
	for name := range h {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			delete(h, name)
			dropped = true
		}
	}
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, "Date") }) {
		h["Date"] = nil // net/http makes one of its own otherwise
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

// replaceXML puts what replace makes of it in place of each element of the
// given names, and says whether that changed anything.
func (x *exchange) replaceXML(names []string, replace func(element []byte) []byte) bool {
	a := &x.answer
	if a.Header().Get("Content-Type") != "application/xml" || x.req.op == OpGetObject {
		return false
	}
	old := bytes.Clone(a.body.Bytes())
	body := old
	for _, name := range names {
		name = regexp.QuoteMeta(name)
		element := regexp.MustCompile(`(?s)[ \t]*<` + name + `(>.*?</` + name + `>|\s*/>)\n?`)
		body = element.ReplaceAllFunc(body, replace)
	}
	a.body.Reset()
	a.body.Write(body)
	return !bytes.Equal(old, body)
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
