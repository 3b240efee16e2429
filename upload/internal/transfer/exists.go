package transfer

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// SkipExisting succeeds with true if the job is to be skipped without a look at its
// source. The source need not be open.
func (f *Session) SkipExisting(ctx context.Context, job *Job) (Result, bool, error) {
	if job.IfExists != Skip || f.putUnknown { // what an earlier run may have put is looked for when it is put again
		return Result{}, false, nil
	}
	u, err := f.upload(job)
	if err != nil {
		return Result{}, false, err
	}
	there, err := u.existing(ctx)
	if err != nil || there == nil {
		return Result{}, false, err
	}
	return u.skipped(ctx, there.ObjectInfo), true, nil
}

// skipSame is SkipExisting for a source that has to be compared.
func (u *upload) skipSame(ctx context.Context) (Result, bool, error) {
	how := u.job.IfExists
	if how != SkipSame && how != SkipSize && how != SkipNewer {
		return Result{}, false, nil
	}
	there, err := u.existing(ctx)
	if err != nil || there == nil || there.Size != u.plan.Size {
		return Result{}, false, err
	}
	if how != SkipSame {
		if how == SkipNewer && !isNewer(there.LastModified, u.job.Source.State().ModTime) {
			return Result{}, false, nil
		}
		return u.skipped(ctx, there.ObjectInfo), true, nil
	}
	info, same, err := u.compare(ctx, there)
	if err != nil || !same {
		return Result{}, false, err
	}
	return u.skipped(ctx, info), true, nil
}

// isNewer reports whether an object was made after its source was written. OSS gives whole
// seconds: of an object that was made within the second of the write, it is not known.
func isNewer(made, written time.Time) bool {
	return !made.IsZero() && !written.IsZero() && !made.Before(written)
}

// skipLate makes a success of a refusal to overwrite: somebody made the object after it
// was looked for.
func (u *upload) skipLate(ctx context.Context, err error) (Result, error) {
	if u.job.IfExists != Skip || !isExisting(err) {
		return Result{}, err
	}
	info, _ := u.head(ctx, false)
	return u.skipped(ctx, info), nil
}

// isExisting reports whether err is a refusal to overwrite.
func isExisting(err error) bool {
	we, ok := answer(err)
	return ok && we.Code == codeExists
}

// skipped is the result of a job that sent nothing. What an earlier run left of it goes,
// for nothing would ever resume it.
func (u *upload) skipped(ctx context.Context, info wire.ObjectInfo) Result {
	if err := u.abandon(ctx); err != nil && ctx.Err() == nil {
		u.warn(fmt.Errorf("what an earlier run left of this upload stays: %w", err))
	}
	return Result{
		Skipped: true, Verified: u.job.IfExists == SkipSame,
		ETag: info.ETag, VersionID: info.VersionID, CRC64: info.CRC64, Size: info.Size,
	}
}

// existing looks for the job's object, in the listing of its folder or by a HEAD. It
// returns nil if there is none, or if the server does not say: then sending it is what
// remains, and no request to send it overwrites what must not be overwritten.
func (u *upload) existing(ctx context.Context) (*existing, error) {
	if l := u.job.Listing; l != nil {
		there, known, err := l.find(ctx, u)
		if err != nil || known {
			return there, err
		}
	}
	return u.asking(ctx)
}

// asking looks for the job's object by a HEAD.
func (u *upload) asking(ctx context.Context) (*existing, error) {
	info, err := u.head(ctx, true)
	switch we, ok := answer(err); {
	case err == nil:
		return &existing{ObjectInfo: info}, nil
	case ok && we.Status == http.StatusNotFound:
		return nil, nil
	case ok && we.Status >= 400 && we.Status < 500 && ctx.Err() == nil:
		if u.unseen.due(time.Now()) {
			u.warn(fmt.Errorf("files are sent although their objects may exist, which the server does not say; it takes the right oss:GetObject: %w", err))
		}
		return nil, nil
	}
	return nil, err
}

// compare reports whether an object of the source's size has its bytes, and returns what
// is known of the object. The source is read once, unless nothing would show that it
// changes meanwhile.
func (u *upload) compare(ctx context.Context, there *existing) (info wire.ObjectInfo, same bool, err error) {
	if there.listed && (!there.hasMD5() || !md5IsFaster(there.Size, u.trip.now(), u.Parallel(), runtime.GOMAXPROCS(0))) {
		if there, err = u.asked(ctx, there); err != nil || there == nil {
			return info, false, err
		}
	}
	if !there.listed && !there.HasCRC64 {
		return info, false, nil
	}
	local, err := u.digest(ctx, there.listed)
	if err != nil {
		return info, false, err
	}
	if there.listed && !wire.SameETag(local.md5, there.ETag) { // which is no MD5 where another key encrypts, perhaps
		if there, err = u.asked(ctx, there); err != nil || there == nil {
			return info, false, err
		}
	}
	if !there.listed && (!there.HasCRC64 || there.CRC64 != local.crc) {
		return info, false, nil
	}
	info = there.ObjectInfo
	info.CRC64 = local.crc
	return info, true, nil
}

// asked returns what a HEAD says of a listed object. It is nil if that has another size
// by now, or is gone.
func (u *upload) asked(ctx context.Context, listed *existing) (*existing, error) {
	there, err := u.asking(ctx)
	if err != nil || there == nil || there.Size != listed.Size {
		return nil, err
	}
	return there, nil
}

// md5Speed is how many bytes a second one processor makes an MD5 of. A CRC64 costs a tenth.
const md5Speed = 500e6

// md5IsFaster reports whether more files are compared in a second by their MD5s, on so many
// processors, than by asking for their CRC64s, so many at a time. trip is how long a HEAD
// takes; where that is not known yet, it is asked.
func md5IsFaster(size int64, trip time.Duration, requests, processors int) bool {
	sum := time.Duration(float64(size) / md5Speed / float64(processors) * float64(time.Second))
	return size <= smallMD5 || sum < trip/time.Duration(max(requests, 1))
}

// sums are digests of a source.
type sums struct {
	crc uint64
	md5 string // empty: it was not wanted
}

// digest reads the whole source, at most as many sources at a time as there are requests
// in flight. The slot that the job may have at hand is for others meanwhile.
func (u *upload) digest(ctx context.Context, withMD5 bool) (s sums, err error) {
	if u.putDown != nil {
		u.putDown()
	}
	select {
	case u.comparing <- struct{}{}:
		defer func() { <-u.comparing }()
	case <-ctx.Done():
		return s, context.Cause(ctx)
	}
	size := u.plan.Size
	err = u.local(ctx, 0, func() (err error) {
		if err := checkEnd(u.job.Source); err != nil {
			return err
		}
		if !withMD5 {
			s.crc, err = u.hash(ctx, 0, size)
			return err
		}
		sum := md5.New()
		s.crc, err = u.hash(ctx, 0, size, sum)
		s.md5 = hex.EncodeToString(sum.Sum(nil))
		return err
	})
	if err != nil {
		return s, err
	}
	whole := *u
	whole.plan = Plan{Size: size, PartSize: size, Count: 1}
	return s, whole.stillSame(ctx, []wire.Part{{Number: 1, Size: size, CRC64: s.crc}})
}
