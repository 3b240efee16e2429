package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// complete makes the object of the parts, and says what it came to.
func (m *multipart) complete(ctx context.Context) (Result, error) {
	crc := combined(m.parts)
	res, err := m.completed(ctx, crc)
	if err != nil {
		return Result{}, err
	}
	if res.HasCRC64 && res.CRC64 != crc {
		return Result{}, fmt.Errorf("%w: the object has CRC64 %d, its parts have %d; it must not be used", ErrIntegrity, res.CRC64, crc)
	}
	m.emit(Event{Kind: Progress})
	return Result{
		ETag: res.ETag, Location: res.Location, VersionID: res.VersionID, UploadID: m.rec.UploadID,
		CRC64: crc, Verified: res.HasCRC64,
		Size: m.plan.Size, Parts: m.plan.Count, ResumedParts: m.resumedParts, ResumedBytes: m.resumedBytes,
		SentBytes: m.sent.Load(), CallbackBody: res.CallbackBody,
	}, nil
}

// completed calls Complete. Where an answer leaves open whether the object was
// made, HEAD tells: OSS goes on with a Complete whose client is gone, and knows
// the upload ID no more once it is done (OSS documentation, CompleteMultipartUpload).
func (m *multipart) completed(ctx context.Context, crc uint64) (wire.CompleteResult, error) {
	var res wire.CompleteResult
	err := m.callOr(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		res, err = m.remote.Complete(ctx, s, m.rec.UploadID, m.parts, &m.job.Object)
		return err
	}, func(we *wire.Error) bool {
		gone := we.Class == wire.Restart
		if !gone && !ambiguous(we) && we.Code != codeExists || isCallbackFailed(we) {
			return false
		}
		info, err := m.head(ctx)
		if err != nil || !isOurs(info, m.plan.Size, crc, m.rec.Started, gone) {
			return false
		}
		res = wire.CompleteResult{ETag: info.ETag, CRC64: info.CRC64, HasCRC64: true}
		return true
	})
	return res, err
}

// isOurs reports whether the object is the one that an unanswered Complete made:
// size and CRC64 agree. While the server may still know the upload, an object of
// the same bytes that is older than the upload is not taken for it, or its parts
// would stay there for ever. Times are the server's, to the second.
func isOurs(info wire.ObjectInfo, size int64, crc uint64, started time.Time, gone bool) bool {
	return sameBytes(info, size, crc) && (gone || !info.LastModified.Before(started.Truncate(time.Second)))
}

// isCallbackFailed reports whether err says that the object is stored, but the
// server that was to be told of it did not answer well (OSS documentation,
// Callback: status 203).
func isCallbackFailed(err error) bool {
	var we *wire.Error
	return errors.As(err, &we) && we.Code == "CallbackFailed"
}
