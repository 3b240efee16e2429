package wire

import (
	"net/http"
	"testing"
)

// FuzzAnswer reads whatever a server, or a gateway before it, may send.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		"",
		"<html><body><h1>502 Bad Gateway</h1></body></html>",
		`<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchUpload</Code><Message>gone</Message><RequestId>0123</RequestId><HostId>h</HostId><UploadId>U</UploadId><EC>0042-00000104</EC></Error>`,
		`<Error><Code></Code></Error>`,
		`<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker><Part><PartNumber>1</PartNumber><ETag>"A"</ETag><Size>102400</Size><HashCrc64ecma>18446744073709551615</HashCrc64ecma></Part><Part><PartNumber>2</PartNumber><ETag>&#34;B&#34;</ETag><Size>7</Size></Part></ListPartsResult>`,
		`<ListPartsResult><Part><PartNumber>2</PartNumber><ETag>A</ETag><Size>1</Size></Part><Part><PartNumber>2</PartNumber><ETag>A</ETag><Size>-1</Size></Part></ListPartsResult>`,
		`<InitiateMultipartUploadResult><UploadId>0004B9894A22E5B1888A1E29F8236E2D</UploadId></InitiateMultipartUploadResult>`,
		`<CompleteMultipartUploadResult><Location>http://b.h/k</Location><ETag>"X-1"</ETag></CompleteMultipartUploadResult>`,
	} {
		f.Add(200, body)
		f.Add(404, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		a := answer{status: status, header: http.Header{}, size: int64(len(body)), body: []byte(body)}
		x, err := a.serviceError()
		if err != nil && x.Code != "" && status != statusCallbackFailed {
			t.Errorf("an answer that cannot be read has the code %q", x.Code)
		}
		var page partsPage
		if a.decode(&page) == nil {
			checkPage(t, &page)
		}
		var res CompleteResult
		if res.readXML(&a) == nil && res.ETag == "" {
			t.Error("a completed object without an ETag")
		}
	})
}

// checkPage holds what the parts of any page must be, for others to count on.
func checkPage(t *testing.T, page *partsPage) {
	t.Helper()
	parts, err := page.appendTo(nil, 0)
	if err != nil {
		return
	}
	for i, p := range parts {
		if p.Number < 1 || p.Number > maxPartNumber || p.Size < 0 || p.ETag == "" || i > 0 && parts[i-1].Number >= p.Number {
			t.Errorf("part %+v at %d", p, i)
		}
	}
	if page.IsTruncated && page.NextPartNumberMarker <= 0 {
		t.Error("an endless list")
	}
}
