package transfer

import (
	"cmp"
	"context"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// lostInitiates are the requests to initiate an upload that a run made and got no
// answer to. Each may have made one at the server that nobody knows the ID of.
type lostInitiates struct {
	count       int
	first, last time.Time // when the first was made, and when the last was given up
}

func (l *lostInitiates) add(made, ended time.Time) {
	if l.count == 0 {
		l.first = made
	}
	l.count++
	l.last = ended
}

// orphanSlack is how much earlier or later than its request an upload may seem to be
// made: the server tells whole seconds, of two clocks.
const orphanSlack = 2 * time.Second

// orphans returns which of the server's uploads of one object the lost requests made:
// those that began while these were under way, and that nobody is known to have. More
// of them than were lost are none: somebody else is at work then. ahead is by how much
// the server's clock is ahead.
func (l *lostInitiates) orphans(object string, listed []wire.Unfinished, known map[string]bool, ahead time.Duration) []wire.Unfinished {
	from, to := l.first.Add(ahead-orphanSlack), l.last.Add(ahead+orphanSlack)
	var found []wire.Unfinished
	for _, u := range listed {
		if u.Object == object && !known[u.UploadID] && !u.Initiated.Before(from) && !u.Initiated.After(to) {
			found = append(found, u)
		}
	}
	if len(found) > l.count {
		return nil
	}
	return found
}

// abortOrphans aborts what the lost requests of this run have made. It comes last: by
// now whoever else initiated an upload of the object meanwhile has it in its
// checkpoint, or has sent a part. What cannot be found out stays for a sweep, without
// a word: the token may lack the right to list.
func (m *multipart) abortOrphans(ctx context.Context) {
	if _, ok := m.remote.(*wire.Object); !ok || m.lost.count == 0 || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, m.opts.CleanupTimeout)
	defer cancel()
	bucket, err := m.wire.Bucket(m.job.target())
	if err != nil {
		return
	}
	object := m.job.Target.Object
	var page wire.UploadsPage
	err = m.once(ctx, func(ctx context.Context, s Snapshot) (err error) {
		page, err = bucket.ListUploads(ctx, s, object, wire.UploadMarker{}) // this name comes first
		return err
	})
	now := time.Now()
	if err != nil {
		return
	}
	sw := &sweep{Service: m.Service, job: &SweepJob{}}
	known, err := sw.checkpoints(ctx)
	if err != nil || known.hidden {
		return
	}
	known.names[m.rec.UploadID] = true
	for _, u := range m.lost.orphans(object, page.Uploads, known.names, cmp.Or(page.Served, now).Sub(now)) {
		var state wire.UploadState
		err := m.once(ctx, func(ctx context.Context, s Snapshot) (err error) {
			state, err = bucket.UploadState(ctx, s, object, u.UploadID)
			return err
		})
		if err != nil || state.Parts > 0 {
			continue
		}
		_ = m.once(ctx, func(ctx context.Context, s Snapshot) error {
			return m.remote.Abort(ctx, s, u.UploadID)
		})
	}
}

// once makes a request that is not made again where it fails.
func (u *upload) once(ctx context.Context, fn request) error {
	return u.retry(ctx, RetryPolicy{}, 0, fn, nil)
}
