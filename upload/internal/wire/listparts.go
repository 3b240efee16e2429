package wire

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
)

// maxPage is the most parts that OSS lists at a time (OSS documentation, ListParts).
const maxPage = 1000

// A partsPage is one answer to ListParts. The SDK's own type leaves out the CRC64.
// Nothing that encoding-type applies to is read.
type partsPage struct {
	XMLName              xml.Name `xml:"ListPartsResult"`
	IsTruncated          bool
	NextPartNumberMarker int
	Part                 []struct {
		PartNumber    int
		ETag          string
		Size          int64
		HashCrc64ecma string
	}
}

// ListParts returns all parts of an upload that the server has, by number: one request
// for each 1,000 of them.
func (o *Object) ListParts(ctx context.Context, s Snapshot, uploadID string) ([]Part, error) {
	r := &request{op: opListParts, method: http.MethodGet, uploadID: uploadID}
	var parts []Part
	for marker := 0; ; {
		r.params = map[string]any{
			"uploadId":      uploadID,
			"max-parts":     strconv.Itoa(maxPage),
			"encoding-type": "url",
		}
		if marker > 0 {
			r.params["part-number-marker"] = strconv.Itoa(marker)
		}
		rep, err := o.do(ctx, s, r)
		if err != nil {
			return nil, err
		}
		var page partsPage
		if err = rep.decode(&page); err == nil {
			parts, err = page.appendTo(parts, marker)
		}
		if err != nil {
			return nil, o.reject(s, r, &rep.answer, err)
		}
		if !page.IsTruncated {
			return parts, nil
		}
		marker = page.NextPartNumberMarker
	}
}

// appendTo adds the page's parts to those of the pages before it, the last of which
// ended at marker. A page that does not go on from there would make an endless list.
func (p *partsPage) appendTo(parts []Part, marker int) ([]Part, error) {
	if p.IsTruncated && p.NextPartNumberMarker <= marker {
		return nil, fmt.Errorf("a page of parts after %d goes on after %d", marker, p.NextPartNumberMarker)
	}
	last := marker
	for _, x := range p.Part {
		if x.PartNumber <= last || x.PartNumber > maxPartNumber || x.Size < 0 || x.ETag == "" {
			return nil, fmt.Errorf("part %d of %d bytes with ETag %q after part %d", x.PartNumber, x.Size, x.ETag, last)
		}
		last = x.PartNumber
		part := Part{Number: x.PartNumber, Size: x.Size, ETag: normaliseETag(x.ETag)}
		crc, err := strconv.ParseUint(x.HashCrc64ecma, 10, 64)
		part.CRC64, part.HasCRC64 = crc, err == nil
		parts = append(parts, part)
	}
	return parts, nil
}
