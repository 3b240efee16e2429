package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vodupload/vodupload/upload/internal/crc64"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// single brings a source that fits into one part to its object. It claims no
// checkpoint, unless the store is shared: another machine may have been at it while this
// one was stopped. An earlier run may have: with another part size, or when the file was
// larger. What that left goes, for nothing would ever resume it. An error of the store
// does not matter: no checkpoint is needed.
func (u *upload) single(ctx context.Context) (Result, error) {
	if IsShared(u.session.store(u.job)) {
		return u.claimed(ctx, (*multipart).putClaimed)
	}
	res, err := u.putObject(ctx)
	if err != nil {
		return Result{}, u.abandonIfCanceled(ctx, err)
	}
	if err := u.abandon(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrCheckpoint) {
		u.warn(fmt.Errorf("what an earlier run left of this upload stays: %w", err))
	}
	return res, nil
}

// putClaimed is single with a claim.
func (m *multipart) putClaimed(ctx context.Context) (Result, error) {
	m.rec, _, _ = m.keep.Load()
	res, err := m.putObject(ctx)
	if err == nil {
		m.discard(ctx)
	}
	return res, err
}

// putObject sends the whole source by one PutObject.
func (u *upload) putObject(ctx context.Context) (Result, error) {
	size := u.plan.Size
	var res wire.PutResult
	err := u.retry(ctx, u.opts.Retry, 0, func(ctx context.Context, s Snapshot) error {
		touched, err := u.job.Source.Touched()
		if err != nil {
			return err
		}
		once, section := sectioned(ctx, u.job.Source, 0, size)
		defer section.close()
		src := &watched{Source: once, size: size, doubt: touched}
		src.hash = func() (uint64, error) { return u.hash(ctx, 0, size) }
		src.ask = func() error { return u.fence.ask(ctx) }
		if size == 0 { // no byte will be read
			if err := checkEnd(u.job.Source); err != nil {
				return err
			}
			if err := src.ask(); err != nil {
				return err
			}
		}
		if err := u.fence.holds(ctx); err != nil {
			return err
		}
		return u.send(src, section, 0, size, func(b wire.Body) (err error) {
			res, err = u.remote.Put(ctx, s, b, &u.job.Object)
			return err
		})
	}, func(we *wire.Error, last bool) bool {
		if u.session.putUnknown && we.Code == codeExists {
			res = u.putByLostAttempt(ctx, last)
			return res.Verified
		}
		u.session.putUnknown = u.session.putUnknown || ambiguous(we)
		return false
	})
	if err != nil {
		return Result{}, err
	}
	if err := u.stillSame(ctx, []wire.Part{{Number: 1, Size: size, CRC64: res.CRC64}}); err != nil {
		return Result{}, err
	}
	u.tally.restart(size)
	u.emit(Event{Kind: Progress})
	_, _, sent := u.tally.counts()
	return Result{
		ETag: res.ETag, VersionID: res.VersionID, CRC64: res.CRC64, Verified: res.Verified,
		Size: size, Parts: 1, SentBytes: sent, CallbackBody: res.CallbackBody,
	}, nil
}

// A watched source is looked at once more before its last bytes are handed over. The
// server discards what does not come whole, so that no object is made of two
// versions, nor by a holder that has lost its claim while it was sending.
//
// Where neither size nor times would show another version, all bytes are read again then,
// and have to be what was handed over.
type watched struct {
	Source
	size  int64
	doubt bool
	hash  func() (uint64, error)
	ask   func() error // for the claim

	crc uint64 // of what was read so far, where there is doubt
}

func (s *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Source.ReadAt(p, off)
	if s.doubt {
		s.crc = crc64.Update(s.crc, p[:n])
	}
	if off+int64(n) < s.size || err != nil && err != io.EOF {
		return n, err
	}
	if err := s.Check(); err != nil {
		return 0, err
	}
	if err := checkEnd(s.Source); err != nil {
		return 0, err
	}
	if s.doubt {
		again, err := s.hash()
		if err != nil {
			return 0, err
		}
		if again != s.crc {
			return 0, fmt.Errorf("%w: its bytes are others now, though size and time are the same", ErrChanged)
		}
	}
	if lost := s.ask(); lost != nil {
		return 0, lost
	}
	return n, err
}

// putByLostAttempt answers a refusal to overwrite after an attempt, of this run or an
// earlier one, whose answer was lost: if the object has the bytes of the source, that
// attempt made it. The result is verified only then.
func (u *upload) putByLostAttempt(ctx context.Context, last bool) wire.PutResult {
	size := u.plan.Size
	var crc uint64
	err := u.local(ctx, 0, func() (err error) {
		crc, err = u.hash(ctx, 0, size)
		return err
	})
	if err != nil {
		return wire.PutResult{}
	}
	info, err := u.head(ctx, last)
	ours := err == nil && matches(info, object{size: size, crc: crc, kind: typeNormal})
	return wire.PutResult{ETag: info.ETag, VersionID: info.VersionID, CRC64: crc, Verified: ours}
}
