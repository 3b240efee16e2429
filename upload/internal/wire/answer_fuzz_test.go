package wire

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/internal/target"
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
		if res.readXML(&a) == nil && !strings.Contains(string(plain(a.body)), "ETag") {
			t.Error("a completed object without an ETag")
		}
	})
}

// checkPage holds what the parts of any page must be, for others to count on.
func checkPage(t *testing.T, page *partsPage) {
	t.Helper()
	if page.check(0) != nil {
		return
	}
	last := 0
	for i := range page.Part {
		p := page.Part[i].part()
		if p.Number <= last || p.Number > maxPartNumber || p.Size < 0 {
			t.Errorf("part %+v at %d", p, i)
		}
		last = p.Number
	}
	if next := page.NextPartNumberMarker; page.IsTruncated && (next < last || next < 1 || next > maxPartNumber) {
		t.Errorf("a page that ends at part %d continues after %d", last, next)
	}
}

// FuzzListParts follows a list whose every page is the same: it has to end.
func FuzzListParts(f *testing.F) {
	const part = `<Part><PartNumber>%d</PartNumber><ETag>"A"</ETag><Size>1</Size></Part>`
	for _, inner := range []string{
		"",
		"<IsTruncated>true</IsTruncated>",
		"<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>" + fmt.Sprintf(part, 1),
		"<IsTruncated>true</IsTruncated><NextPartNumberMarker>10001</NextPartNumberMarker>" + fmt.Sprintf(part, 10000),
		"<IsTruncated>true</IsTruncated><NextPartNumberMarker>-1</NextPartNumberMarker>" + fmt.Sprintf(part, 5),
		fmt.Sprintf(part, 2) + fmt.Sprintf(part, 1),
		"<Part><PartNumber>3</PartNumber></Part>",
	} {
		f.Add("<ListPartsResult>" + inner + "</ListPartsResult>")
	}
	f.Fuzz(func(t *testing.T, body string) {
		requests := 0
		o := answered(t, func() string { requests++; return body })
		parts, err := o.ListParts(t.Context(), testKey, "U")
		if requests > 2 || err != nil && parts != nil {
			t.Errorf("%d requests, %d parts and %v", requests, len(parts), err)
		}
		for i, p := range parts {
			if p.Number < 1 || p.Number > maxPartNumber || p.Size < 0 || i > 0 && parts[i-1].Number >= p.Number {
				t.Errorf("part %+v at %d", p, i)
			}
		}
	})
}

// FuzzListUploads does the same with the uploads of a bucket.
func FuzzListUploads(f *testing.F) {
	for _, inner := range []string{
		"",
		"<IsTruncated>true</IsTruncated>",
		"<IsTruncated>true</IsTruncated><NextKeyMarker>in/a</NextKeyMarker><Upload><Key>in/a</Key><UploadId>U</UploadId></Upload>",
		"<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextKeyMarker>in%2Fb</NextKeyMarker><NextUploadIdMarker>V</NextUploadIdMarker><Upload><Key>in%2Fa</Key><UploadId>U</UploadId></Upload>",
		"<Upload><Key>other</Key><UploadId>U</UploadId><Initiated>2026-10-20T07:28:00.000Z</Initiated></Upload>",
	} {
		f.Add("<ListMultipartUploadsResult>" + inner + "</ListMultipartUploadsResult>")
	}
	f.Fuzz(func(t *testing.T, body string) {
		o := answered(t, func() string { return body })
		b := Bucket{o}
		requests := 0
		for page := (UploadsPage{More: true}); page.More; requests++ {
			if requests > 1 {
				t.Fatal("the same page was followed twice")
			}
			var err error
			if page, err = b.ListUploads(t.Context(), testKey, "in/", page.Next); err != nil {
				return
			}
			for _, u := range page.Uploads {
				if !strings.HasPrefix(u.Object, "in/") || target.CheckUploadID(u.UploadID) != nil {
					t.Errorf("got %+v", u)
				}
			}
		}
	})
}

// answered returns an object at a server, without a socket, that answers 200.
func answered(t testing.TB, body func() string) *Object {
	return newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{
		HTTPClient: &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body()))}, nil
		})},
	})
}
