package osstest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/url"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// Limits of callbacks (OSS documentation, Callback).
const (
	maxCallbackParam  = 5 << 10
	maxCallbackURLs   = 5
	maxCallbackAnswer = 1 << 20
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// A callback is the call that a client wants its own server to get once an object
// is stored.
type callback struct {
	URL      string `json:"callbackUrl"`
	Host     string `json:"callbackHost"`
	Body     string `json:"callbackBody"`
	BodyType string `json:"callbackBodyType"`
	SNI      bool   `json:"callbackSNI"` // only read: the handshake has the host's name in any case

	urls []*url.URL
	vars map[string]string // of x-oss-callback-var, with their "x:"
}

// callbackOf returns the callback that a request asks for, or nil.
func callbackOf(req *request) (*callback, *osserr.Error) {
	var cb callback
	given, aerr := callbackParam(req, "callback", &cb)
	if aerr != nil || !given {
		return nil, aerr
	}
	if _, aerr := callbackParam(req, "callback-var", &cb.vars); aerr != nil {
		return nil, aerr
	}
	if cb.URL == "" {
		return nil, nil // as good as none, by the documentation
	}
	if aerr := cb.check(); aerr != nil {
		return nil, aerr
	}
	return &cb, nil
}

// callbackParam decodes a parameter, JSON in base64, from the header or the
// query into v.
func callbackParam(req *request, name string, v any) (given bool, aerr *osserr.Error) {
	header, query := req.Header.Get("x-oss-"+name), req.query.Get(name)
	value := cmp.Or(header, query)
	switch {
	case value == "":
		return false, nil
	case header != "" && query != "":
		return true, osserr.InvalidArgument("", "The "+name+" parameter is in the header and in the query.", name, header)
	case len(value) > maxCallbackParam:
		return true, osserr.InvalidArgument("", "The "+name+" parameter is longer than 5 KB.", name, value)
	}
	text, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return true, osserr.InvalidArgument("0007-00000002", "The callback configuration is not base64 encoded.", name, value)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return true, osserr.InvalidArgument("", "The callback configuration is not json format.", name, value)
	}
	return true, nil
}

func (cb *callback) check() *osserr.Error {
	addresses := strings.Split(strings.TrimSuffix(cb.URL, ";"), ";")
	if len(addresses) > maxCallbackURLs {
		return osserr.InvalidArgument("0007-00000004", "The callback configuration has more than 5 URLs.", "callbackUrl", cb.URL)
	}
	for _, address := range addresses {
		if !strings.Contains(address, "://") {
			address = "http://" + address // the scheme may be left out
		}
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return osserr.InvalidArgument("0007-00000004", "The callback configuration has an invalid URL.", "callbackUrl", cb.URL)
		}
		cb.urls = append(cb.urls, u)
	}
	if cb.BodyType == "" {
		cb.BodyType = formType
	}
	switch {
	case cb.Body == "":
		return osserr.InvalidArgument("0007-00000011", "The callback body is empty.", "callbackBody", "")
	case cb.BodyType != formType && cb.BodyType != jsonType:
		return osserr.InvalidArgument("0007-00000012", "The callback body type is not valid.", "callbackBodyType", cb.BodyType)
	}
	return nil
}

// body returns the callback's body for an object, with the variables filled in:
// URL-encoded in a form, and as JSON values in JSON. An unknown one is empty.
func (cb *callback) body(req *request, o *storage.Object) []byte {
	values := map[string]any{
		"bucket": req.bucket, "object": o.Key, "etag": o.ETag, "size": o.Size, "crc64": o.CRC64,
		"mimeType": o.Header.Get("Content-Type"), "contentMd5": o.MD5, "reqId": req.id, "operation": req.op,
		"clientIp": hostOf(req.RemoteAddr),
	}
	for name, v := range cb.vars {
		values[name] = v
	}
	var out strings.Builder
	rest := cb.Body
	for {
		before, after, found := strings.Cut(rest, "${")
		name, next, closed := strings.Cut(after, "}")
		if !found || !closed {
			out.WriteString(rest)
			return []byte(out.String())
		}
		out.WriteString(before + cb.encode(values[name]))
		rest = next
	}
}

func (cb *callback) encode(value any) string {
	if value == nil {
		value = ""
	}
	text, _ := json.Marshal(value) // strings and numbers encode
	if cb.BodyType == jsonType {
		return string(text)
	}
	if s, ok := value.(string); ok {
		return url.QueryEscape(s)
	}
	return strings.Trim(string(text), `"`)
}

// hostOf returns the host of an address that has a port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
