package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"html"
	"io"
	"reflect"
	"strings"
	"unicode/utf16"
)

// unmarshal reads XML into v. Bytes that XML does not allow, and an encoding that is
// declared but not known, are no reason to lose what the rest says; XML that is cut
// short is.
func unmarshal(text []byte, v any) error {
	if s, ok := v.(scanner); ok && s.scan(text) {
		return nil
	}
	err := decodeXML(text, v)
	if err == nil {
		return nil
	}
	clean := allowed(text)
	if bytes.Equal(clean, text) {
		return err
	}
	reflect.ValueOf(v).Elem().SetZero()
	return decodeXML(clean, v)
}

func decodeXML(text []byte, v any) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	// The names and codes that are read from answers are ASCII in every encoding that
	// a declaration may name here.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return d.Decode(v)
}

// allowed returns text without the bytes that XML does not allow.
func allowed(text []byte) []byte {
	text = bytes.ToValidUTF8(bytes.TrimPrefix(text, []byte("\uFEFF")), []byte("\uFFFD"))
	return bytes.TrimSpace(bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, text))
}

// plain returns the text of a body that a gateway has compressed although nobody
// asked for it, or has made UTF-16 of.
func plain(body []byte) []byte {
	if bytes.HasPrefix(body, []byte{0x1F, 0x8B}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return body
		}
		// What could be read of a stream that is cut short may be enough.
		text, _ := io.ReadAll(io.LimitReader(z, maxAnswer))
		if len(text) > 0 {
			body = text
		}
	}
	switch {
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return fromUTF16(body[2:], binary.BigEndian)
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}):
		return fromUTF16(body[2:], binary.LittleEndian)
	}
	return body
}

func fromUTF16(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// scanError finds the elements of an error in text that is not XML as a whole: cut
// short, or inside of a gateway's page. A code counts only if it looks like one.
func scanError(text string) xmlError {
	if x := jsonError(text); x.Code != "" {
		return x
	}
	code := element(text, "Code")
	if code == "" && strings.Contains(text, "&lt;Code&gt;") { // a page that shows it
		text = html.UnescapeString(text)
		code = element(text, "Code")
	}
	if !isCode(code) {
		return xmlError{}
	}
	return xmlError{
		Code:       code,
		Message:    element(text, "Message"),
		RequestID:  element(text, "RequestId"),
		EC:         element(text, "EC"),
		ServerTime: element(text, "ServerTime"),
		Endpoint:   element(text, "Endpoint"),
	}
}

// jsonError reads an error in JSON, as some gateways make it of OSS's XML.
func jsonError(text string) xmlError {
	type fields struct{ Code, Message, RequestID, EC, ServerTime, Endpoint string }
	var x struct {
		fields
		Error fields
	}
	// Of a field of another type the rest is still read.
	_ = json.Unmarshal([]byte(text), &x)
	for _, f := range [...]fields{x.fields, x.Error} {
		if isCode(f.Code) {
			return xmlError{Code: f.Code, Message: f.Message, RequestID: f.RequestID, EC: f.EC, ServerTime: f.ServerTime, Endpoint: f.Endpoint}
		}
	}
	return xmlError{}
}

// element returns the content of the first element of the name, or "".
func element(text, name string) string {
	_, rest, ok := strings.Cut(text, "<"+name+">")
	if !ok {
		return ""
	}
	content, _, ok := strings.Cut(rest, "</"+name+">")
	if !ok {
		return ""
	}
	content = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(content), "<![CDATA["), "]]>")
	return strings.TrimSpace(html.UnescapeString(strings.ToValidUTF8(content, "\uFFFD")))
}

// isCode reports whether s looks like an error code of OSS: a word, in parts perhaps.
func isCode(s string) bool {
	const maxCode = 64
	if s == "" || len(s) > maxCode {
		return false
	}
	for i, r := range s {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789._-", r)) {
			return false
		}
	}
	return true
}

// An xmlError is the body of an error answer (OSS documentation, Error responses).
type xmlError struct {
	XMLName    xml.Name `xml:"Error"`
	Code       string
	Message    string
	RequestID  string `xml:"RequestId"`
	EC         string
	ServerTime string
	Endpoint   string // to use instead
}

// misdated says whether the error blames the time of the request. With signature V4,
// a clock that is off by days may show in the day of the credential's scope
// (OSS documentation, EC 0002-00000212), without a word of skew.
func (x xmlError) misdated() bool {
	return x.Code == "RequestTimeTooSkewed" || x.Code == "InvalidArgument" && x.EC == "0002-00000212"
}

// maxAnswer is more than OSS ever sends: a page of 1,000 parts has a quarter of
// a megabyte, the body of a callback at most one (OSS documentation, Callback).
const maxAnswer = 4 << 20

// A scanner reads the usual form of an answer without package xml, which takes most of the
// CPU of resuming an upload of many parts. It returns false, and changes nothing, where
// package xml has to say what the text means.
type scanner interface{ scan(text []byte) bool }
