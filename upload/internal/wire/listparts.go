package wire

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A partsPage is one answer to ListParts. The SDK's own type leaves out the CRC64.
// Nothing that encoding-type applies to is read.
type partsPage struct {
	XMLName              xml.Name `xml:"ListPartsResult"`
	IsTruncated          bool
	NextPartNumberMarker int
	Part                 []listedPart
}

// A listedPart is a part as the server lists it.
type listedPart struct {
	PartNumber    int
	ETag          *string
	Size          int64
	HashCrc64ecma string
	LastModified  string
}

// check returns an error for a page that does not continue the list after marker, where
// the page before it ended. There is no such list at OSS: following it could take
// forever, or lose parts.
func (p *partsPage) check(marker int) error {
	last := marker
	for _, x := range p.Part {
		if x.PartNumber <= last || x.PartNumber > maxPartNumber || x.Size < 0 || x.ETag == nil {
			return fmt.Errorf("part %d of %d bytes, with ETag: %t, after part %d; want an ETag and a number up to %d",
				x.PartNumber, x.Size, x.ETag != nil, last, maxPartNumber)
		}
		last = x.PartNumber
	}
	next := p.NextPartNumberMarker
	if p.IsTruncated && (len(p.Part) == 0 || next < last || next > maxPartNumber) {
		return fmt.Errorf("a page of %d parts after part %d, the last %d, continues after %d", len(p.Part), marker, last, next)
	}
	return nil
}

// part returns the part in our own terms.
func (x *listedPart) part() Part {
	p := Part{Number: x.PartNumber, Size: x.Size, ETag: bareETag(*x.ETag)}
	crc, err := strconv.ParseUint(strings.TrimSpace(x.HashCrc64ecma), 10, 64)
	p.CRC64, p.HasCRC64 = crc, err == nil
	return p
}

// ListParts returns all parts of an upload that the server has, by number: one request
// for each 1,000 of them.
func (o *Object) ListParts(ctx context.Context, s Snapshot, uploadID string) ([]Part, error) {
	var parts []Part
	err := o.eachPage(ctx, s, uploadID, func(page []listedPart) {
		for i := range page {
			parts = append(parts, page[i].part())
		}
	})
	if err != nil {
		return nil, err
	}
	return parts, nil
}

// eachPage calls f for each page of an upload's parts.
func (o *Object) eachPage(ctx context.Context, s Snapshot, uploadID string, f func([]listedPart)) error {
	r := &request{op: opListParts, method: http.MethodGet, uploadID: uploadID}
	for marker := 0; ; {
		r.params = map[string]any{
			"uploadId":      uploadID,
			"max-parts":     strconv.Itoa(maxPage),
			"encoding-type": "url",
		}
		if marker > 0 {
			r.params["part-number-marker"] = strconv.Itoa(marker)
		}
		var page partsPage
		if err := o.doXML(ctx, s, r, &page, func(*reply) error { return page.check(marker) }); err != nil {
			return err
		}
		f(page.Part)
		if !page.IsTruncated {
			return nil
		}
		marker = page.NextPartNumberMarker
	}
}

// An UploadState is what the server has of an unfinished upload.
type UploadState struct {
	Parts int
	Bytes int64
	Last  time.Time // when it got the last part; zero if it has none, or does not say
}

// UploadState returns what the server has of an upload of the named object: one
// request for each 1,000 parts. An upload that is not there is an error of class
// Restart.
func (b Bucket) UploadState(ctx context.Context, s Snapshot, object, uploadID string) (UploadState, error) {
	t := b.target
	t.Object = object
	o := &Object{client: b.client, target: t, clock: b.clock}
	var state UploadState
	err := o.eachPage(ctx, s, uploadID, state.add)
	if err != nil {
		return UploadState{}, err
	}
	return state, nil
}

func (state *UploadState) add(page []listedPart) {
	for _, x := range page {
		state.Parts++
		state.Bytes += x.Size
		if at, err := time.Parse(time.RFC3339, strings.TrimSpace(x.LastModified)); err == nil && at.After(state.Last) {
			state.Last = at
		}
	}
}
