package transfer

import (
	"context"
	"net/http"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// codeExists is the answer to a request that forbids to overwrite (OSS
// documentation, PutObject).
const codeExists = "FileAlreadyExists"

// put sends the whole source by one PutObject.
func (u *upload) put(ctx context.Context) (Result, error) {
	size := u.plan.Size
	var res wire.PutResult
	lost := false // an earlier attempt may have made the object
	err := u.callOr(ctx, 0, func(ctx context.Context, s Snapshot) error {
		return u.send(0, size, func(b wire.Body) (err error) {
			res, err = u.remote.Put(ctx, s, b, &u.job.Object)
			return err
		})
	}, func(we *wire.Error) bool {
		if lost && we.Code == codeExists {
			res = u.madeBefore(ctx)
			return res.Verified
		}
		lost = lost || ambiguous(we)
		return false
	})
	if err != nil {
		return Result{}, err
	}
	if err := u.job.Source.Check(); err != nil {
		return Result{}, err
	}
	u.acked.Store(size)
	u.emit(Event{Kind: Progress})
	return Result{
		ETag: res.ETag, VersionID: res.VersionID, CRC64: res.CRC64, Verified: res.Verified,
		Size: size, Parts: 1, SentBytes: u.sent.Load(), CallbackBody: res.CallbackBody,
	}, nil
}

// madeBefore answers a refusal to overwrite after an attempt whose answer was
// lost: if the object has the bytes of the source, that attempt made it. The
// result is verified only then.
func (u *upload) madeBefore(ctx context.Context) wire.PutResult {
	crc, err := u.hash(ctx, 0, u.plan.Size)
	if err != nil {
		return wire.PutResult{}
	}
	info, err := u.head(ctx)
	return wire.PutResult{ETag: info.ETag, CRC64: crc, Verified: err == nil && sameBytes(info, u.plan.Size, crc)}
}

func (u *upload) head(ctx context.Context) (info wire.ObjectInfo, err error) {
	err = u.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		info, err = u.remote.Head(ctx, s)
		return err
	})
	return info, err
}

// ambiguous reports whether the server may have done the work although it did not
// say so: the connection broke, or a server failed while answering.
func ambiguous(we *wire.Error) bool {
	return we.Status == 0 || we.Status == http.StatusRequestTimeout || we.Status >= 500 || we.Status < 300
}
