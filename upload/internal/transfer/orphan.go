package transfer

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// lostInitiates are the requests to initiate an upload that got no answer. Each may have
// made one at the server whose ID is not known.
type lostInitiates struct {
	spans []lostSpan // of each request, in runs of this session

	// earlier is when a run of another session claimed the checkpoint that ended without
	// beginning it, e.g. because its process was killed; zero: none did. It may have lost one.
	earlier, claimed time.Time // claimed is when this run did
}

// A lostSpan is from when a request was made until it was given up.
type lostSpan struct{ made, ended time.Time }

// maxLost is how many requests are remembered: the last ones.
const maxLost = 64

func (l *lostInitiates) add(made, ended time.Time) {
	if len(l.spans) == maxLost {
		l.spans = l.spans[1:]
	}
	l.spans = append(l.spans, lostSpan{made, ended})
}

func (l *lostInitiates) none() bool { return len(l.spans) == 0 && l.earlier.IsZero() }

// since returns when the first of them was made, or a run claimed the checkpoint that
// may have made one.
func (l *lostInitiates) since() time.Time {
	if len(l.spans) == 0 || !l.earlier.IsZero() && l.earlier.Before(l.spans[0].made) {
		return l.earlier
	}
	return l.spans[0].made
}

// lostBefore returns what earlier runs have lost: those of this session, which knows each
// request, and else the one before the claim, by what the checkpoint says.
func (u *upload) lostBefore(cp checkpoint.Claim) lostInitiates {
	l := u.session.lost
	mark, ok := cp.(checkpoint.Unbegun)
	if !ok {
		return l
	}
	l.claimed = time.Now()
	if at := mark.Unbegun(); !at.IsZero() && (len(l.spans) == 0 || at.Before(l.spans[0].made.Add(-orphanSlack))) {
		l.earlier = at // else it is what this session has left there
	}
	return l
}

const (
	// orphanSlack is how much earlier or later than its request an upload may seem to be
	// made: the server reports whole seconds, of two clocks.
	orphanSlack = 2 * time.Second

	// lateSpan bounds how long after it was given up a request may arrive and be carried
	// out: after an outage the system still sends what it was given before the connection
	// was closed. What began after the request was given up has to be lateAge old and without
	// a part. Another machine may have begun it, whose first part takes longer than that, and
	// whose store this one does not see: its file starts over.
	lateSpan = 2 * time.Minute
	lateAge  = 15 * time.Second

	// earlierSpan bounds how long after its claim an earlier run may have lost a request:
	// its end is not known.
	earlierSpan = 5 * time.Minute

	// orphanTimeout bounds the search for orphans, once it has a slot: the run has ended but
	// for that.
	orphanTimeout = 10 * time.Second

	// canceledTimeout bounds it where the caller gave the upload up, as people do when the
	// network is gone. What is not found by then, the next run looks for.
	canceledTimeout = 2 * time.Second
)

// mayBe reports whether an upload that began at the given time, by the clock of here, was
// made by one of the requests.
func (l *lostInitiates) mayBe(began, now time.Time) bool {
	within := func(from, to time.Time) bool {
		return !began.Before(from.Add(-orphanSlack)) && !began.After(to.Add(orphanSlack))
	}
	for _, lost := range l.spans {
		if within(lost.made, lost.ended) || within(lost.made, lost.ended.Add(lateSpan)) && now.Sub(began) >= lateAge {
			return true
		}
	}
	end := l.earlier.Add(earlierSpan)
	if l.claimed.Before(end) {
		end = l.claimed
	}
	return !l.earlier.IsZero() && within(l.earlier, end)
}

// orphans returns which of the server's uploads of one object the lost requests made:
// those that began while these were under way, or soon after, and that nobody is known to
// have. More of them than were lost are none: another process makes some then. ahead is by
// how much the server's clock is ahead.
func (l *lostInitiates) orphans(object string, listed []wire.Unfinished, known map[string]bool, now time.Time, ahead time.Duration) []wire.Unfinished {
	var found []wire.Unfinished
	for _, u := range listed {
		if u.Object == object && !known[u.UploadID] && l.mayBe(u.Initiated.Add(-ahead), now) {
			found = append(found, u)
		}
	}
	lost := len(l.spans)
	if !l.earlier.IsZero() {
		lost++
	}
	if len(found) > lost {
		return nil
	}
	return found
}

// settleLost ends a run that lost requests to initiate an upload, or that follows one
// which may have: what they made is aborted. Where that is not known by the end, the
// session and the checkpoint say so to the next run.
func (m *multipart) settleLost(ctx context.Context) {
	if m.lost.none() || m.fence.look() != nil {
		return
	}
	if isAbandoned(ctx) {
		var cancel, expire context.CancelFunc
		ctx, cancel = cleanup(ctx)
		defer cancel()
		ctx, expire = context.WithTimeout(ctx, canceledTimeout)
		defer expire()
	}
	if ctx.Err() != nil || !m.abortOrphans(ctx, &m.lost, m.rec.UploadID) {
		m.keep.unbegun, m.session.lost = m.lost.since(), m.lost
	} else {
		m.session.lost = lostInitiates{}
	}
	m.lost = lostInitiates{}
}

// abortOrphans aborts what the lost requests have made. It comes last: by now any other
// process that initiated an upload of the object meanwhile has it in its checkpoint, or
// has sent a part. What cannot be found out stays for a sweep, without a warning: the token may
// lack the right to list. mine is the upload of the run itself. It returns false where the
// server could not be asked.
//
// All its requests are made with one slot. On a slow link, the parts of other files have all
// slots for long: to wait for one each time would keep the file from its end.
func (u *upload) abortOrphans(ctx context.Context, lost *lostInitiates, mine string) bool {
	if _, ok := u.remote.(*wire.Object); !ok {
		return true
	}
	bucket, err := u.wire.Bucket(u.job.target())
	if err != nil {
		return true
	}
	err = u.once(asCleanup(ctx), func(ctx context.Context, s Snapshot) error {
		ctx, cancel := context.WithTimeout(ctx, min(u.opts.CleanupTimeout, orphanTimeout))
		defer cancel()
		found, err := u.findOrphans(ctx, s, bucket, lost, mine)
		for _, o := range found {
			if err = u.abortOrphan(ctx, s, bucket, o); err != nil {
				break
			}
		}
		return err
	})
	if we, ok := answer(err); ok {
		return we.Class == wire.Permanent
	}
	return err == nil
}

// findOrphans returns what of the server's list the lost requests have made.
func (u *upload) findOrphans(ctx context.Context, s Snapshot, bucket wire.Bucket, lost *lostInitiates, mine string) ([]wire.Unfinished, error) {
	object := u.job.Target.Object
	page, err := bucket.ListUploads(ctx, s, object, wire.UploadMarker{}) // this name comes first
	if err != nil {
		return nil, err
	}
	now := time.Now()
	ahead := cmp.Or(page.ServerTime, now).Sub(now)
	suspicious := func(o wire.Unfinished) bool {
		return o.Object == object && o.UploadID != mine && lost.mayBe(o.Initiated.Add(-ahead), now)
	}
	if !slices.ContainsFunc(page.Uploads, suspicious) {
		return nil, nil // without a look at all checkpoints
	}
	known, err := u.viewStore(ctx, nil)
	if err != nil || known.unreadable {
		return nil, err
	}
	known.ids[mine] = true
	return lost.orphans(object, page.Uploads, known.ids, now, ahead), nil
}

// abortOrphan aborts an upload that nobody is known to have, unless it has a part.
func (u *upload) abortOrphan(ctx context.Context, s Snapshot, bucket wire.Bucket, o wire.Unfinished) error {
	state, err := bucket.UploadState(ctx, s, o.Object, o.UploadID)
	if err == nil && state.Parts == 0 {
		if err = u.fence.ask(ctx); err == nil {
			err = u.remote.Abort(ctx, s, o.UploadID)
		}
	}
	if isRestart(err) {
		return nil // it has ended meanwhile
	}
	return err
}
