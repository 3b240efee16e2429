package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// complete makes the object of the parts, and returns the result.
func (m *multipart) complete(ctx context.Context) (Result, error) {
	crc := combined(m.parts)
	res, err := m.completed(ctx, crc)
	if res.HasCRC64 && res.CRC64 != crc && (err == nil || isStored(err)) {
		return Result{}, fmt.Errorf("%w: the object has CRC64 %d, its parts have %d; it must not be used", ErrIntegrity, res.CRC64, crc)
	}
	if err != nil {
		return Result{}, err
	}
	m.emit(Event{Kind: Progress})
	_, _, sent := m.tally.counts()
	return Result{
		ETag: res.ETag, VersionID: res.VersionID, UploadID: m.rec.UploadID,
		CRC64: crc, Verified: res.HasCRC64,
		Size: m.plan.Size, Parts: m.plan.Count, ResumedParts: m.resumedParts, ResumedBytes: m.resumedBytes,
		SentBytes: sent, CallbackBody: res.CallbackBody, ByOther: m.completedBefore,
	}, nil
}

// completed calls Complete. Where an answer leaves open whether the object was
// made, HEAD decides: OSS continues a Complete whose client is gone, and does not
// know the upload ID once it is done (OSS documentation, CompleteMultipartUpload).
func (m *multipart) completed(ctx context.Context, crc uint64) (wire.CompleteResult, error) {
	var res wire.CompleteResult
	mayBeMine := false // an attempt of this run may have made the object
	until := time.Now().Add(2 * maxPatience * m.opts.Wire.StallTimeout)
	err := m.retry(ctx, m.opts.Retry, 0, func(ctx context.Context, s Snapshot) (err error) {
		if err := m.fence.ask(ctx); err != nil {
			return err
		}
		res, err = m.remote.Complete(ctx, s, m.rec.UploadID, m.parts, &m.job.Object)
		return err
	}, func(we *wire.Error, last bool) bool {
		gone := we.Class == wire.Restart
		m.completeUnknown = !gone && (m.completeUnknown || ambiguous(we))
		mayBeMine = mayBeMine || ambiguous(we)
		before := we.Unsent && mayBeMine // an earlier attempt may have made it
		if !gone && !ambiguous(we) && !before && we.Code != codeExists {
			return false
		}
		if last && we.Unanswered {
			m.awaitMade(ctx, crc, until)
		}
		info, ok := m.objectIsOurs(ctx, crc, gone, last)
		if ok {
			m.completedBefore = !mayBeMine
			res = wire.CompleteResult{ETag: info.ETag, VersionID: info.VersionID, CRC64: info.CRC64, HasCRC64: true}
		}
		return ok
	})
	return res, err
}

// objectIsOurs reports whether this upload has become the object. While the server still
// knows its ID, it has not: the object is another one, with the same bytes. Where
// the server does not say, Complete is made again, which decides; at the last attempt, the
// object counts, for its bytes are right.
func (m *multipart) objectIsOurs(ctx context.Context, crc uint64, gone, last bool) (wire.ObjectInfo, bool) {
	info, err := m.head(ctx, last)
	if err != nil || !matches(info, object{size: m.plan.Size, crc: crc, kind: typeMultipart, since: m.rec.Started}) {
		return info, false
	}
	if gone {
		return info, true
	}
	listed, known := m.isListed(ctx, m.remote, m.rec.UploadID, m.policy(last))
	if !known && last && ctx.Err() == nil {
		m.warn(fmt.Errorf("the object is there, but the server does not say whether upload %s is unfinished: a sweep will find it", m.rec.UploadID))
		return info, true
	}
	return info, known && !listed
}

// awaitMade returns when this upload has become the object, or at the given time: a
// Complete that the server has, and does not answer, may still be at work.
func (m *multipart) awaitMade(ctx context.Context, crc uint64, until time.Time) {
	pause := min(m.opts.Wire.StallTimeout/4, 10*time.Second)
	for time.Now().Before(until) && tasks.Sleep(ctx, pause) == nil {
		if _, ok := m.objectIsOurs(ctx, crc, false, false); ok {
			return
		}
	}
}

// head asks what is stored under the object's name.
func (u *upload) head(ctx context.Context, last bool) (info wire.ObjectInfo, err error) {
	err = u.retry(ctx, u.policy(last), 0, func(ctx context.Context, s Snapshot) (err error) {
		began := time.Now()
		if info, err = u.remote.Head(ctx, s); err == nil {
			u.trip.record(time.Since(began))
		}
		return err
	}, nil)
	return info, err
}
