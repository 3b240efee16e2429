package wire

import (
	"context"
	"errors"
	"net/http"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// Put stores the object with one request; body.Size may be 0, and 5 GiB at most (OSS
// documentation, PutObject).
//
// When OSS stored the object but the callback failed, the result is filled in and the
// error reports [Error.Stored].
func (o *Object) Put(ctx context.Context, s Snapshot, body Body, opts *target.ObjectOptions) (PutResult, error) {
	r := &request{op: opPut, method: http.MethodPut, opts: opts, body: &body}
	rep, err := o.do(ctx, s, r)
	if err != nil {
		return PutResult{}, err
	}
	etag, hasETag := rep.etag()
	res := PutResult{
		ETag:      etag,
		CRC64:     rep.crc,
		VersionID: rep.header.Get(headerVersionID),
	}
	if res.Verified, err = rep.verify(); err != nil {
		return PutResult{}, o.errorOfBadSuccess(s, r, &rep.answer, err)
	}
	if err := o.callbackError(s, r, &rep.answer, opts); err != nil {
		return res, err
	}
	if !hasETag {
		return PutResult{}, o.errorOfBadSuccess(s, r, &rep.answer, rep.noETag())
	}
	if !res.Verified {
		if err := o.unverified(r.op, &rep.answer, !opts.HasCallback()); err != nil {
			return PutResult{}, o.errorOfBadSuccess(s, r, &rep.answer, err)
		}
	}
	if opts.HasCallback() {
		if rep.err != nil {
			return PutResult{}, o.errorOfBadSuccess(s, r, &rep.answer, rep.err)
		}
		res.CallbackBody = rep.body
	}
	return res, nil
}

// Head returns what is stored under the object's name. If there is nothing, the error
// has Status 404.
func (o *Object) Head(ctx context.Context, s Snapshot) (ObjectInfo, error) {
	r := &request{op: opHead, method: http.MethodHead}
	rep, err := o.do(ctx, s, r)
	if err != nil {
		return ObjectInfo{}, err
	}
	etag, hasETag := rep.etag()
	info := ObjectInfo{
		Size:      rep.size,
		ETag:      etag,
		Type:      rep.header.Get(headerObjectType),
		VersionID: rep.header.Get(headerVersionID),
	}
	info.CRC64, info.HasCRC64 = rep.crc64()
	info.LastModified, _ = http.ParseTime(rep.header.Get(headerLastModified))
	switch {
	case (!hasETag || info.Size < 0) && !hasVendor(rep.header):
		err = rep.strange("it has no ETag or no size, and no request ID")
	case !hasETag || info.Size < 0:
		err = errors.New("answer has no ETag or no size")
	case !info.HasCRC64:
		err = rep.stranger(false)
	}
	if err != nil {
		return ObjectInfo{}, o.errorOfBadSuccess(s, r, &rep.answer, err)
	}
	return info, nil
}
