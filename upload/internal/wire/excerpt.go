package wire

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxExcerpt = 160 // bytes of foreign text
	maxQuoted  = 240 // bytes of it once it is quoted: of binary data much is escaped
)

// quoted returns text in quotation marks, cut to what fits into an error. What cannot
// be printed is escaped.
func quoted(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return ""
	}
	for limit := maxExcerpt; ; limit /= 2 {
		q := strconv.Quote(cut(text, limit))
		if len(q) <= maxQuoted {
			return q
		}
	}
}

// cut returns at most limit bytes of s, and says that there are more.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for i := 0; i < utf8.UTFMax && limit > 0 && !utf8.RuneStart(s[limit]); i++ {
		limit--
	}
	return s[:limit] + "…"
}

// untagged returns the text of a page, if it is one.
func untagged(text string) string {
	if !strings.Contains(text, "<") {
		return text
	}
	b := []byte(text)
	for _, name := range [...]string{"style", "script"} {
		b = withoutElement(b, name)
	}
	var out bytes.Buffer
	for {
		before, rest, found := bytes.Cut(b, []byte("<"))
		out.Write(before)
		if !found {
			return out.String()
		}
		out.WriteByte(' ')
		_, after, closed := bytes.Cut(rest, []byte(">"))
		if !closed {
			return out.String()
		}
		b = after
	}
}

// withoutElement leaves out the first element of the name.
func withoutElement(b []byte, name string) []byte {
	lower := bytes.ToLower(b)
	from := bytes.Index(lower, []byte("<"+name))
	if from < 0 || len(lower) != len(b) {
		return b
	}
	end := bytes.Index(lower[from:], []byte("</"+name+">"))
	if end < 0 {
		return b
	}
	return append(bytes.Clone(b[:from]), b[from+end:]...)
}
