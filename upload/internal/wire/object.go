package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// An Object is one object at one endpoint. It implements [Remote]. Its methods may be
// called from any goroutine, at the same time.
type Object struct {
	client *Client
	target target.Target
	clock  *clock
	last   atomic.Pointer[signer]
}

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

// unverified is called for an answer of success without a CRC64: what is stored cannot be
// verified. It returns an error if nothing may be stored, or if that is not good enough.
func (o *Object) unverified(op string, a *answer, bare bool) error {
	if err := a.stranger(bare); err != nil {
		return err
	}
	return o.client.noCRC64(op)
}

// noETag returns the error of an answer of success without an ETag, which others than
// OSS give: a captive portal, for example.
func (a *answer) noETag() error {
	if len(a.body) == 0 {
		return errors.New("answer has no ETag")
	}
	return fmt.Errorf("answer has no ETag: %s", a.described())
}

// verify compares the CRC64 of the request's body with the one in the answer.
// It is false if the answer has none.
func (r *reply) verify() (bool, error) {
	crc, ok := r.crc64()
	if ok && crc != r.crc {
		return false, fmt.Errorf("CRC64 of the bytes as sent is %d, and as the server got them %d", r.crc, crc)
	}
	return ok, nil
}

// callbackError returns the error of an answer that says: stored, but the callback
// failed. Without a callback, 203 is what a gateway made of a 200.
func (o *Object) callbackError(s Snapshot, r *request, a *answer, opts *target.ObjectOptions) error {
	if a.status != statusCallbackFailed || !opts.HasCallback() {
		return nil
	}
	return o.errorOfAnswer(s, r, outcome{}, a, 0)
}
