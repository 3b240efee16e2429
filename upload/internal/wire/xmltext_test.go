package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"
)

const expired = `<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>SecurityTokenExpired</Code>
  <Message>The security token you provided has expired.</Message>
  <RequestId>6556E3AED11E553933CCDEDF</RequestId>
  <EC>0002-00000007</EC>
</Error>
`

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.String()
}

func inUTF16(s string, order binary.AppendByteOrder) string {
	b := order.AppendUint16(nil, 0xFEFF)
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// The code of an error decides what happens next, so that nothing may hide it.
func TestCodeOfAnAnswerThatIsNotWhole(t *testing.T) {
	in := func(old, new string) string { return strings.Replace(expired, old, new, 1) }
	for name, body := range map[string]string{
		"whole":                         expired,
		"not UTF-8 in the message":      in("has", "h\xe9s"),
		"not UTF-8 in another element":  in("<EC>", "<Key>\xff\xfe</Key><EC>"),
		"a control character":           in("has", "h\x01s"),
		"a zero byte":                   in("has", "h\x00s"),
		"a reference to what XML bans":  in("has", "h&#x01;s"),
		"an unknown entity":             in("has", "h&nbsp;s"),
		"a bare ampersand":              in("has", "h & s"),
		"encoding GBK":                  in("UTF-8", "GBK"),
		"encoding ISO-8859-1, not UTF8": strings.Replace(in("UTF-8", "ISO-8859-1"), "has", "h\xe4s", 1),
		"a BOM":                         "\uFEFF" + expired,
		"white space first":             "\r\n\t " + expired,
		"white space around the code":   in("SecurityTokenExpired", "\n SecurityTokenExpired \n"),
		"cut off in the message":        expired[:strings.Index(expired, "has")],
		"cut off after the code":        expired[:strings.Index(expired, "</Code>")+len("</Code>")],
		"within a page":                 "<html><body><p>Proxy says:<br>" + expired + "</body></html>",
		"shown by a page":               "<html><pre>" + strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(expired) + "</pre></html>",
		"CDATA, cut off":                "<Error><Code><![CDATA[SecurityTokenExpired]]></Code><Mess",
		"an XML name space":             in("<Error>", `<Error xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">`),
		"JSON":                          `{"Code":"SecurityTokenExpired","Message":"has expired"}`,
		"JSON of other names":           `{"code": "SecurityTokenExpired", "message": 7, "requestId": null}`,
		"JSON within an object":         `{"status": 403, "error": {"code": "SecurityTokenExpired"}}`,
		"compressed":                    gzipped(expired),
		"compressed, cut off":           gzipped(expired)[:len(gzipped(expired))-9],
		"UTF-16, big endian":            inUTF16(expired, binary.BigEndian),
		"UTF-16, little endian":         inUTF16(expired, binary.LittleEndian),
	} {
		t.Run(name, func(t *testing.T) {
			var head http.Header
			o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Method == http.MethodHead {
					w.Header().Set("x-oss-err", base64.StdEncoding.EncodeToString([]byte(body)))
					head = w.Header()
				}
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, body)
			}), nil)
			_, part := putPart(t.Context(), o, bodyOf("x"))
			_, info := o.Head(t.Context(), testKey)
			for _, err := range []error{part, info} {
				if e := wantError(t, err, Token); e.Code != "SecurityTokenExpired" || e.Err != nil {
					t.Errorf("got %+v", e)
				}
			}
			if head == nil {
				t.Error("no HEAD came")
			}
		})
	}
}

func TestCodeOfTheHeader(t *testing.T) {
	for name, c := range map[string]struct {
		ec, body string
		class    Class
		code     string
	}{
		"no body":                        {"0002-00000007", "", Token, "SecurityTokenExpired"},
		"a page":                         {"0002-00000006", "<html>no</html>", Token, "InvalidSecurityToken"},
		"cut off within the code":        {"0042-00000104", "<Error><Code>NoSuchUp", Restart, "NoSuchUpload"},
		"an unknown EC, and a page":      {"0099-00000001", "<html>no</html>", Permanent, ""},
		"an unknown EC, and a code":      {"0099-00000001", "<Error><Code>NoSuchUpload</Code><Mess", Restart, "NoSuchUpload"},
		"the XML has another code":       {"0002-00000007", "<Error><Code>AccessDenied</Code></Error>", Permanent, "AccessDenied"},
		"the code of the XML is no word": {"", "<Error><Code>not a code!</Code><Mess", Permanent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("x-oss-ec", c.ec)
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, c.body)
			}), nil)
			_, err := putPart(t.Context(), o, bodyOf("x"))
			if e := wantError(t, err, c.class); e.Code != c.code {
				t.Errorf("got %+v, want the code %q", e, c.code)
			}
		})
	}
}

// A result may have odd bytes as well, but it has to be whole.
func TestResultsWithOddBytes(t *testing.T) {
	const list = `<ListPartsResult><Key>in/t</Key><Part><PartNumber>1</PartNumber><ETag>"A"</ETag><Size>1</Size></Part></ListPartsResult>`
	for name, c := range map[string]struct {
		body  string
		whole bool
	}{
		"not UTF-8":           {strings.Replace(list, "in/t", "in/\xe9\x01", 1), true},
		"compressed":          {gzipped(list), true},
		"cut off":             {strings.TrimSuffix(list, "</ListPartsResult>"), false},
		"odd bytes, cut off":  {"<ListPartsResult><Key>\xe9</Key><Part><PartNumber>1</PartNumber><ETag>A</ETag></Part>", false},
		"compressed, cut off": {gzipped(list[:len(list)-3]), false},
	} {
		t.Run(name, func(t *testing.T) {
			o := answered(t, func() string { return c.body })
			parts, err := o.ListParts(t.Context(), testKey, "U")
			if (err == nil) != c.whole || c.whole && len(parts) != 1 {
				t.Errorf("got %v and %v", parts, err)
			}
		})
	}
}
