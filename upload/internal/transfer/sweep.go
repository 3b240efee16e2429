package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
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
	// part. 0 finds also what was begun this moment by a process that has not yet
	// written down that it did.
	OlderThan time.Duration

	// DryRun only tells what was found.
	DryRun bool

	// Target is where to look. Object is a prefix of names. With an empty Bucket all
	// checkpoints of the store are looked at, and no server's list; Region and
	// RequestPayer count for all of them.
	Target target.Target

	Gate  Gate
	Slots Slots

	// Wanted reports whether somebody is to go on with the upload of a checkpoint: it
	// is left alone. It may be nil.
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
	known, err := sw.checkpoints(ctx)
	if err != nil {
		return nil, target.Join(listErr, err)
	}
	var found []candidate
	for _, e := range known.free {
		if sw.covers(e.Record.Key) && !sw.wanted(e.Record.Key) && sw.isOld(cmp.Or(e.Saved, e.Record.Started), time.Now()) {
			found = append(found, ofRecord(e))
		}
	}
	for _, u := range listed {
		// The list is in the order of names, and the time of its first page is the
		// earliest: nothing looks older than it is.
		// A time that could not be read says nothing.
		if !known.names[u.UploadID] && !u.Initiated.IsZero() && sw.isOld(u.Initiated, served) {
			found = append(found, sw.ofServer(u, served, known.hidden))
		}
	}
	return sw.all(ctx, found), target.Join(listErr, context.Cause(ctx))
}

// A sweep is one run of a [SweepJob].
type sweep struct {
	*Service
	job *SweepJob
}

func (sw *sweep) wanted(k checkpoint.Key) bool { return sw.job.Wanted != nil && sw.job.Wanted(k) }

// isOld reports whether the last sign of life is long enough ago. A server tells
// whole seconds, so that what was begun this moment may seem to be of the future.
func (sw *sweep) isOld(active, now time.Time) bool {
	return sw.job.OlderThan <= 0 || now.Sub(active) > sw.job.OlderThan
}

// A candidate is an upload that is old enough by what is known before it is looked
// at.
type candidate struct {
	Leftover
	local  bool
	served time.Time // the server's clock when it was listed
}

func ofRecord(e checkpoint.Entry) candidate {
	r := e.Record
	bytes := min(int64(e.Parts)*r.PartSize, r.Source.Size)
	return candidate{local: true, Leftover: Leftover{
		Key: r.Key, UploadID: r.UploadID, Started: r.Started,
		Active: cmp.Or(e.Saved, r.Started), Parts: e.Parts, Bytes: bytes,
	}}
}

// errHidden says why an upload that may be nobody's is left alone.
var errHidden = errors.New("a checkpoint that is in use could not be read: it may be the one of this upload")

func (sw *sweep) ofServer(u wire.Unfinished, served time.Time, hidden bool) candidate {
	c := candidate{served: served, Leftover: Leftover{
		Key:      checkpoint.Key{Endpoint: sw.job.Target.Endpoint.String(), Bucket: sw.job.Target.Bucket, Object: u.Object},
		UploadID: u.UploadID, Started: u.Initiated, Active: u.Initiated,
	}}
	if hidden {
		c.Err = errHidden
	}
	return c
}

// covers reports whether the job is about the destination of a checkpoint.
func (sw *sweep) covers(k checkpoint.Key) bool {
	t := sw.job.Target
	return t.Bucket == "" ||
		k.Endpoint == t.Endpoint.String() && k.Bucket == t.Bucket && strings.HasPrefix(k.Object, t.Object)
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
	u := sw.upload(sw.job.Target)
	page := wire.UploadsPage{More: true}
	for n := 1; page.More; n++ {
		if n > maxListings {
			return all, served, fmt.Errorf("list unfinished uploads: there are more after %d pages", maxListings)
		}
		err := u.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
			page, err = bucket.ListUploads(ctx, s, sw.job.Target.Object, page.Next)
			return err
		})
		if err != nil {
			return all, served, fmt.Errorf("list unfinished uploads of %s/%s: %w", sw.job.Target.Bucket, target.Line(sw.job.Target.Object), err)
		}
		if served.IsZero() {
			served = cmp.Or(page.Served, time.Now())
		}
		all = append(all, page.Uploads...)
	}
	return all, served, nil
}

// upload returns what makes calls about a destination.
func (sw *sweep) upload(t target.Target) *upload {
	job := &Job{Target: t, Gate: sw.job.Gate, Slots: sw.job.Slots}
	if sw.job.Emit != nil {
		job.Emit = func(e Event) { sw.job.Emit(t, e) }
	}
	return &upload{Service: sw.Service, job: job}
}

// A shelf is what the store's checkpoints say.
type shelf struct {
	free   []checkpoint.Entry
	names  map[string]bool // upload IDs, also of those in use, and of what this service is at work on
	hidden bool            // one that is in use could not be read
}

// checkpoints looks at the store. A checkpoint that is being written may not be
// readable at that moment, so it is looked at again.
func (sw *sweep) checkpoints(ctx context.Context) (shelf, error) {
	const tries = 5
	for try := 1; ; try++ {
		entries, err := sw.opts.Checkpoints.List(ctx)
		if err != nil {
			return shelf{}, fmt.Errorf("list checkpoints: %w", err)
		}
		sh := shelf{names: make(map[string]bool)}
		for _, e := range entries {
			switch {
			case e.Record.UploadID == "":
				// A claim on a source, without a destination, hides no upload.
				sh.hidden = sh.hidden || e.InUse && e.Record.Key.Source == ""
				continue
			case !e.InUse:
				sh.free = append(sh.free, e)
			}
			sh.names[e.Record.UploadID] = true
		}
		if !sh.hidden || try == tries {
			return sh, sw.inProcess(ctx, sh.names)
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return shelf{}, err
		}
	}
}

// inProcess adds the uploads of this service that the store does not tell of.
func (sw *sweep) inProcess(ctx context.Context, names map[string]bool) error {
	sw.working.addTo(names)
	volatile, err := sw.volatile.List(ctx)
	for _, e := range volatile {
		if e.InUse || sw.wanted(e.Record.Key) {
			names[e.Record.UploadID] = true
		}
	}
	return err
}

// all looks at the candidates, some at a time, and returns those that are leftovers.
func (sw *sweep) all(ctx context.Context, found []candidate) []Leftover {
	stays := make([]bool, len(found))
	var g errgroup.Group
	g.SetLimit(sw.opts.Parallel)
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
	m := &multipart{upload: sw.upload(t), rec: checkpoint.Record{UploadID: c.UploadID}}
	if err == nil {
		m.remote, err = sw.wire.Object(t)
	}
	switch {
	case err != nil:
		c.Err = err
		return true
	case c.local:
		return sw.local(ctx, m, c)
	}
	return sw.remote(ctx, m, c)
}

// local aborts the upload of a checkpoint under its claim. Somebody may have gone on
// with it since it was listed.
func (sw *sweep) local(ctx context.Context, m *multipart, c *candidate) bool {
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
	if rec, _, ok := cp.Load(); !ok || rec.UploadID != c.UploadID || sw.wanted(c.Key) {
		_ = cp.Close()
		return false
	}
	if c.Err = m.abort(ctx); c.Err != nil {
		_ = cp.Close()
		return true
	}
	c.Err = cp.Remove()
	c.Aborted = c.Err == nil
	return true
}

// remote aborts an upload that no checkpoint of the store names, unless parts of it
// still come: another machine may be at work on it.
func (sw *sweep) remote(ctx context.Context, m *multipart, c *candidate) bool {
	bucket, err := sw.wire.Bucket(m.job.Target)
	if err != nil {
		c.Err = err
		return true
	}
	var state wire.UploadState
	err = m.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		state, err = bucket.UploadState(ctx, s, c.Key.Object, c.UploadID)
		return err
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
	if !sw.isOld(c.Active, c.served) {
		return false
	}
	if sw.job.DryRun || c.Err != nil {
		return true
	}
	c.Err = m.abort(ctx)
	c.Aborted = c.Err == nil
	return true
}
