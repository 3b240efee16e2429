package wire

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// Initiate begins a multipart upload. The properties of the object to be are given
// here, and stored by OSS until Complete.
func (o *Object) Initiate(ctx context.Context, s Snapshot, opts *target.ObjectOptions) (Initiated, error) {
	r := &request{
		op: opInitiate, method: http.MethodPost,
		params: map[string]any{"uploads": nil, "encoding-type": "url"},
		opts:   opts,
	}
	var x struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		UploadID string   `xml:"UploadId"`
	}
	var made Initiated
	err := o.doXML(ctx, s, r, &x, func(rep *reply) error {
		made = Initiated{UploadID: strings.TrimSpace(x.UploadID), ServerTime: o.clock.plausible(rep.serverTime())}
		return target.CheckUploadID(made.UploadID)
	})
	if err != nil {
		return Initiated{}, err
	}
	return made, nil
}

// UploadPart stores one part: number is 1 to 10,000, body.Size at most 5 GiB, and at
// least 100 KiB unless it is the last (OSS documentation, UploadPart). A part of the
// same number that was there before is replaced.
//
// The Part's CRC64 is the one of the bytes as they were read. If the server
// returned another, the error is of class Retry; if it returned none, HasCRC64 is false.
func (o *Object) UploadPart(ctx context.Context, s Snapshot, uploadID string, number int, body Body, opts *target.ObjectOptions) (Part, error) {
	r := &request{
		op: opUploadPart, method: http.MethodPut,
		params: map[string]any{"partNumber": strconv.Itoa(number), "uploadId": uploadID},
		opts:   opts, body: &body, uploadID: uploadID, part: number,
	}
	rep, err := o.do(ctx, s, r)
	if err != nil {
		return Part{}, err
	}
	etag, hasETag := rep.etag()
	p := Part{Number: number, Size: body.Size, ETag: etag, CRC64: rep.crc}
	p.HasCRC64, err = rep.verify()
	switch {
	case err != nil:
	case !hasETag:
		err = rep.noETag()
	case !p.HasCRC64:
		err = o.unverified(r.op, &rep.answer, true)
	}
	if err != nil {
		return Part{}, o.errorOfBadSuccess(s, r, &rep.answer, err)
	}
	return p, nil
}

// Abort ends a multipart upload and frees its parts. An upload that is not there, for
// example because it was completed, is an error of class Restart. A part that is being
// sent meanwhile may survive it (OSS documentation, AbortMultipartUpload).
func (o *Object) Abort(ctx context.Context, s Snapshot, uploadID string) error {
	r := &request{
		op: opAbort, method: http.MethodDelete,
		params:   map[string]any{"uploadId": uploadID},
		uploadID: uploadID,
	}
	rep, err := o.do(ctx, s, r)
	if err != nil {
		return err
	}
	if rep.status != http.StatusNoContent {
		return o.errorOfBadSuccess(s, r, &rep.answer, fmt.Errorf("got status %d, want %d", rep.status, http.StatusNoContent))
	}
	return nil
}
