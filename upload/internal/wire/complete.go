package wire

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// Complete makes the object of the parts, in the order of their numbers; parts may
// come in any order, and is not changed.
//
// OSS continues it even if the connection is lost, so an error of class Retry, Stale
// or Canceled does not say whether the object was made, and one of class Restart may
// mean that an earlier Complete has made it (OSS documentation,
// CompleteMultipartUpload).
//
// With a callback, the answer is the one of the application's server: CallbackBody is
// filled in then, and ETag only if the header has it. When
// OSS made the object but the callback failed, the result is filled in and the error
// reports [Error.Stored].
func (o *Object) Complete(ctx context.Context, s Snapshot, uploadID string, parts []Part, opts *target.ObjectOptions) (CompleteResult, error) {
	r := &request{
		op: opComplete, method: http.MethodPost,
		params:   map[string]any{"uploadId": uploadID, "encoding-type": "url"},
		opts:     opts,
		uploadID: uploadID,
	}
	list, err := partList(parts)
	if err != nil {
		return CompleteResult{}, o.newError(s, r, outcome{refused: true, err: err}, nil)
	}
	r.body = &Body{R: bytes.NewReader(list), Size: int64(len(list))}
	rep, err := o.do(ctx, s, r)
	if err != nil {
		return CompleteResult{}, err
	}
	etag, _ := rep.etag()
	res := CompleteResult{
		ETag:      etag,
		VersionID: rep.header.Get(headerVersionID),
		RequestID: rep.header.Get(headerRequestID),
	}
	res.CRC64, res.HasCRC64 = rep.crc64()
	if err := o.callbackError(s, r, &rep.answer, opts); err != nil {
		return res, err
	}
	if opts.HasCallback() {
		err = res.readCallback(&rep.answer)
	} else {
		err = res.readXML(&rep.answer)
	}
	if err == nil && !res.HasCRC64 {
		err = o.client.noCRC64(r.op)
	}
	if err != nil {
		return CompleteResult{}, o.errorOfBadSuccess(s, r, &rep.answer, err)
	}
	return res, nil
}

// readXML fills in what the answer's body has.
func (res *CompleteResult) readXML(a *answer) error {
	var x struct {
		XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		ETag    *string
	}
	if err := a.decode(&x); err != nil {
		return err
	}
	switch _, inHeader := a.etag(); {
	case x.ETag != nil && bareETag(*x.ETag) != "":
		res.ETag = bareETag(*x.ETag)
	case x.ETag == nil && !inHeader:
		return a.noETag()
	}
	return nil
}

// readCallback keeps the answer of the application's server. That OSS handed it on
// shows in its headers.
func (res *CompleteResult) readCallback(a *answer) error {
	if a.err != nil {
		return fmt.Errorf("read answer: %w", a.err)
	}
	if !res.HasCRC64 {
		if err := a.stranger(false); err != nil {
			return err
		}
	}
	res.CallbackBody = a.body
	return nil
}

// partList returns the XML that names the parts.
func partList(parts []Part) ([]byte, error) {
	if len(parts) == 0 || len(parts) > maxPartNumber {
		return nil, fmt.Errorf("%d parts: want 1 to %d", len(parts), maxPartNumber)
	}
	byNumber := func(a, b Part) int { return cmp.Compare(a.Number, b.Number) }
	if !slices.IsSortedFunc(parts, byNumber) {
		parts = slices.SortedFunc(slices.Values(parts), byNumber)
	}
	var b bytes.Buffer
	b.Grow(64 + 96*len(parts))
	b.WriteString("<CompleteMultipartUpload>")
	for i, p := range parts {
		if p.Number < 1 || p.Number > maxPartNumber {
			return nil, fmt.Errorf("part number %d: want 1 to %d", p.Number, maxPartNumber)
		}
		if i > 0 && parts[i-1].Number == p.Number {
			return nil, fmt.Errorf("part %d is there twice", p.Number)
		}
		b.WriteString("<Part><PartNumber>" + strconv.Itoa(p.Number) + `</PartNumber><ETag>"`)
		if err := xml.EscapeText(&b, []byte(p.ETag)); err != nil {
			return nil, err
		}
		b.WriteString(`"</ETag></Part>`)
	}
	b.WriteString("</CompleteMultipartUpload>")
	return b.Bytes(), nil
}
