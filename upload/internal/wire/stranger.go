package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// stranger returns an error if an answer of success without a CRC64 may be of somebody
// else than a store of objects: of a captive portal or a gateway with a page of its own,
// which has an ETag like any page of a web server. A store answers with status 200 and a
// request ID. Those that give no ID count where there is nothing to read: bare says that
// the answer to a store's own success has no body, and could have one.
func (a *answer) stranger(bare bool) error {
	switch {
	case a.status != http.StatusOK:
		return a.strange(fmt.Sprintf("it has no CRC64, and its status is not %d", http.StatusOK))
	case hasVendor(a.header), bare && len(bytes.TrimSpace(a.body)) == 0:
		return nil
	}
	return a.strange("it has no CRC64 and no request ID")
}

// noETag returns the error of an answer of success without an ETag, which others than
// OSS give: a captive portal, for example.
func (a *answer) noETag() error {
	if len(a.body) == 0 {
		return errors.New("answer has no ETag")
	}
	return fmt.Errorf("answer has no ETag: %s", a.described())
}

// strange returns the error of an answer that is not of OSS.
func (a *answer) strange(why string) error {
	if len(a.body) == 0 {
		return fmt.Errorf("answer of %s is not of OSS: %s", a.contentType(), why)
	}
	return fmt.Errorf("answer is not of OSS: %s: %s", why, a.described())
}

// hasVendor reports whether one of the headers is of OSS, or a request ID as stores of
// other vendors write it: X-Amz-Request-Id, X-Cos-Request-Id. A plain X-Request-Id is of
// any proxy.
func hasVendor(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, "X-Oss-") {
			return true
		}
		vendor, ok := strings.CutSuffix(name, "-Request-Id")
		if vendor, x := strings.CutPrefix(vendor, "X-"); ok && x && vendor != "" {
			return true
		}
	}
	return false
}

// failed reports whether an answer of success has the XML of an error for its body, which
// a store sends that began to answer before it knew the outcome. Where there is a CRC64,
// that says more about what is stored.
func (a *answer) failed() bool {
	if _, ok := a.crc64(); ok || a.err != nil || !bytes.Contains(a.body, []byte("<Error")) {
		return false
	}
	var x struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
	}
	return unmarshal(plain(a.body), &x) == nil && strings.TrimSpace(x.Code) != ""
}
