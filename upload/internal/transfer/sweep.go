package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A SweepJob says which unfinished uploads to look for.
type SweepJob struct {
	// OlderThan is how long an upload must have given no sign of life: its
	// checkpoint was not written, or, of one that has none here, the server got no
	// part. 0 also finds what another process has begun just now and not recorded yet.
	OlderThan time.Duration

	// DryRun returns what was found, and aborts nothing.
	DryRun bool

	// Target is where to look. Object is a prefix of names. With an empty Bucket all
	// checkpoints of the store are looked at, and no server's list; Region and
	// RequestPayer count for all of them.
	Target target.Target

	Gate  Gate
	Slots Slots

	// GateOf returns the gate of the uploads of a checkpoint's key that have one of their
	// own; nil: Gate. It may be nil.
	GateOf func(checkpoint.Key) Gate

	// Wanted reports whether the upload of a checkpoint is to be resumed: it is left
	// alone. It may be nil.
	Wanted func(checkpoint.Key) bool

	// Emit is called with what happens to requests about a destination, from many
	// goroutines at once; it must not block. It may be nil.
	Emit func(target.Target, Event)
}

// A Leftover is an unfinished upload that a sweep has found. None of them was in
// use.
type Leftover struct {
	Key      checkpoint.Key // Source is empty if there is no checkpoint of it here
	UploadID string
	Started  time.Time // by the server's clock
	Active   time.Time // last sign of life: of a checkpoint by the clock of here, else by the server's
	Parts    int       // acknowledged, or at the server
	Bytes    int64     // of these parts; 0 if that is not known
	Aborted  bool      // it is gone, at the server and here
	Err      error     // why it is not, unless it was a dry run
}

// Sweep finds unfinished uploads that nobody works on, in the store's checkpoints
// and in the server's list, and aborts them. An upload is in use, and is neither
// touched nor returned, while a checkpoint that names it is claimed, in this process
// or another.
//
// The error is of what could not be looked at; what was found is returned with it.
// Why a single upload could not be aborted stands in its Err. Uploads are in order:
// those with a checkpoint first, by the time that it was written, then the server's
// by name.
func (s *Service) Sweep(ctx context.Context, job *SweepJob) ([]Leftover, error) {
	sw := &sweep{Service: s, job: job}
	// The server's list comes first: what is in it and in use has its checkpoint by
	// the time that these are listed, or is younger than anything that is swept.
	listed, served, listErr := sw.listed(ctx)
	view, err := s.viewStore(ctx, job.Wanted)
	if err != nil {
		return nil, target.Join(listErr, err)
	}
	found := job.candidates(view, listed, time.Now(), served)
	return sw.all(ctx, found), target.Join(listErr, context.Cause(ctx))
}

// A sweep is one run of a [SweepJob].
type sweep struct {
	*Service
	job *SweepJob
}

// caller returns what makes requests about a destination.
func (sw *sweep) caller(t target.Target) *caller {
	var report func(Event)
	if sw.job.Emit != nil {
		report = func(e Event) { sw.job.Emit(t, e) }
	}
	return sw.callerTo(t, sw.job.Gate, sw.job.Slots, report)
}

// maxListings bounds how many pages of 1,000 uploads are asked for.
const maxListings = 10_000

// listed returns the server's list, and the time by its clock when it was asked.
func (sw *sweep) listed(ctx context.Context) (all []wire.Unfinished, served time.Time, err error) {
	if sw.job.Target.Bucket == "" {
		return nil, served, nil
	}
	bucket, err := sw.wire.Bucket(sw.job.Target)
	if err != nil {
		return nil, served, err
	}
	c := sw.caller(sw.job.Target)
	page := wire.UploadsPage{More: true}
	for n := 1; page.More; n++ {
		if n > maxListings {
			return all, served, fmt.Errorf("list unfinished uploads: there are more after %d pages", maxListings)
		}
		next, err := fetch(ctx, c, func(ctx context.Context, s Snapshot) (wire.UploadsPage, error) {
			return bucket.ListUploads(ctx, s, sw.job.Target.Object, page.Next)
		})
		if err != nil {
			return all, served, fmt.Errorf("list unfinished uploads: %w", err)
		}
		page = next
		if served.IsZero() {
			served = cmp.Or(page.ServerTime, time.Now())
		}
		all = append(all, page.Uploads...)
	}
	return all, served, nil
}

// all looks at the candidates, some at a time, and returns those that are leftovers.
func (sw *sweep) all(ctx context.Context, found []candidate) []Leftover {
	stays := make([]bool, len(found))
	var g errgroup.Group
	g.SetLimit(sw.parallel.now())
	for i := range found {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			stays[i] = sw.one(ctx, &found[i])
			return nil
		})
	}
	_ = g.Wait()
	var left []Leftover
	for i, c := range found {
		if stays[i] {
			left = append(left, c.Leftover)
		}
	}
	return left
}

// one looks at a candidate, and aborts it. It returns false if it is not a leftover.
func (sw *sweep) one(ctx context.Context, c *candidate) bool {
	t := sw.job.Target
	var err error
	t.Endpoint, err = sw.opts.Locator.Endpoint(c.Key.Endpoint)
	t.Bucket, t.Object = c.Key.Bucket, c.Key.Object
	var remote *wire.Object
	if err == nil {
		remote, err = sw.wire.Object(t)
	}
	switch {
	case err != nil:
		c.Err = err
		return true
	case c.recorded:
		caller := sw.caller(t)
		if sw.job.GateOf != nil {
			if g := sw.job.GateOf(c.Key); g != nil {
				caller.gate = g
			}
		}
		return sw.abortRecorded(ctx, caller, remote, c)
	}
	return sw.abortListed(ctx, sw.caller(t), t, remote, c)
}

// abortRecorded aborts the upload of a checkpoint under its claim, unless another holder
// has resumed it since it was listed.
func (sw *sweep) abortRecorded(ctx context.Context, caller *caller, remote wire.Remote, c *candidate) bool {
	if sw.job.DryRun {
		return true
	}
	defer sw.sweeping.hold(c.Key)()
	cp, err := OpenCheckpoint(ctx, sw.opts.Checkpoints, c.Key, nil)
	if errors.Is(err, checkpoint.ErrInUse) {
		return false
	}
	if err != nil {
		c.Err = fmt.Errorf("open checkpoint: %w", err)
		return true
	}
	if rec, _, ok := cp.Load(); !ok || rec.UploadID != c.UploadID || sw.job.isWanted(c.Key) {
		_ = cp.Close()
		return false
	}
	if c.Err = caller.abort(ctx, newFence(cp), remote, c.UploadID); c.Err != nil {
		_ = cp.Close()
		return true
	}
	c.Err = cp.Remove()
	c.Aborted = c.Err == nil
	return true
}

// abortListed aborts an upload that no checkpoint of the store names, unless the server
// still receives parts of it: another machine may be sending them.
func (sw *sweep) abortListed(ctx context.Context, caller *caller, t target.Target, remote wire.Remote, c *candidate) bool {
	bucket, err := sw.wire.Bucket(t)
	if err != nil {
		c.Err = err
		return true
	}
	state, err := fetch(ctx, caller, func(ctx context.Context, s Snapshot) (wire.UploadState, error) {
		return bucket.UploadState(ctx, s, c.Key.Object, c.UploadID)
	})
	if isRestart(err) {
		return false
	}
	if err != nil {
		c.Err = fmt.Errorf("find out whether parts of it still come: %w", err)
		return true
	}
	c.Parts, c.Bytes = state.Parts, state.Bytes
	if state.Last.After(c.Active) {
		c.Active = state.Last
	}
	if !sw.job.isOld(c.Active, c.serverNow) {
		return false
	}
	if sw.job.DryRun || c.Err != nil {
		return true
	}
	c.Err = caller.abort(ctx, nil, remote, c.UploadID)
	c.Aborted = c.Err == nil
	return true
}
