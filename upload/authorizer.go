package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An Authorizer gives files that were added without a destination where to go and
// what to sign with, by asking a media service for both: package vod has the one for
// ApsaraVideo VOD. Its methods are called from many goroutines, for different files
// at the same time.
type Authorizer interface {
	// Authorize makes a video, or what else the file is, at the service. f.VideoID is
	// empty then. It is called again with the ID that it returned, in this process or
	// a later one, for the same bytes: then nothing is made, but what was made is
	// gone on with, and [ErrNotRenewable] says that this cannot be.
	//
	// A request that makes something must not be given up when ctx ends, but be
	// finished, within a time of its own: nobody would know what it made. If it is
	// not known whether it made something, the error is [ErrAnswerLost].
	Authorize(ctx context.Context, f FileInfo) (Authorization, error)

	// Renew returns new credentials for where the file goes; the ones of before have
	// expired, or are about to. It is called once, however many requests met the old
	// ones, and again after a pause if it fails, for Options.TokenWait. An error that
	// is [ErrNotRenewable] ends that: the file begins anew, once, with Authorize.
	Renew(ctx context.Context, f FileInfo) (sts.Credentials, error)
}

// A RepeatableAuthorizer is an [Authorizer] that makes of some files what may be made
// twice. For these, a call whose answer was lost, because the process was killed, is
// just repeated; the others fail once with [ErrAnswerLost].
type RepeatableAuthorizer interface {
	Authorizer
	Repeatable(f FileInfo) bool
}

// An Authorization is where a file goes, and what it becomes there.
type Authorization struct {
	Endpoint string
	Bucket   string
	Object   string

	VideoID  string // of a video or an audio file
	MediaID  string // of anything else, such as an image
	MediaURL string // where it can be seen; empty: not known yet

	Credentials sts.Credentials
}

// id names what the service made.
func (a Authorization) id() string { return cmp.Or(a.VideoID, a.MediaID) }

// A media is what a file has been authorized for. Its fields belong to the client's
// lock.
type media struct {
	source checkpoint.Source // the bytes that it was made for
	good   bool              // destination and credentials can be gone on with
}

// mediaID names what the service made of the file.
func (f *file) mediaID() string { return cmp.Or(f.info.VideoID, f.info.MediaID) }

// mayGo returns an error for a file that cannot be given a destination: it has one,
// or is given one by the Authorizer. That is so from the file's start on, and not
// only while the service is asked: OnStarted must not find it one way or the other.
// It is called with the lock held.
func (c *Client) mayGo(f *file) error {
	switch {
	case f.hasTarget:
		return fmt.Errorf("%w: the file goes to %s/%s already", ErrState, f.info.Bucket, f.info.Object)
	case f.begun && c.opts.Authorizer != nil:
		return fmt.Errorf("%w: the file was started, and Options.Authorizer gives it its destination", ErrState)
	}
	return nil
}

// asksAuthorizer reports whether the file gets its destination from the Authorizer.
func (c *Client) asksAuthorizer(f *file) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opts.Authorizer != nil && !f.named
}

// A claim is the right of one run to bring a source to the media service, and what
// is known of an earlier one.
type claim struct {
	*run
	cp     checkpoint.Upload // nil: none is kept
	source checkpoint.Source // as it is now
	id     string            // of what was made for these bytes
}

// sourceKey is what a source is claimed under before it has a destination.
func sourceKey(f *file) checkpoint.Key { return checkpoint.Key{Source: f.path} }

// uploadAuthorized is upload for a file that the Authorizer gives its destination.
func (r *run) uploadAuthorized(ctx context.Context) (transfer.Result, error) {
	if err := r.awaitLeaving(ctx); err != nil {
		return transfer.Result{}, err
	}
	m, err := r.claim(ctx)
	if err != nil {
		return transfer.Result{}, err
	}
	res, err := m.upload(ctx)
	m.end(ctx, err)
	return res, err
}

// claim claims the source. Bytes that no later process could know again are not
// claimed.
func (r *run) claim(ctx context.Context) (*claim, error) {
	m := &claim{run: r}
	if r.f.stream == nil {
		src, err := r.f.open()
		if err != nil {
			return nil, fmt.Errorf("open source: %w", err)
		}
		m.source = src.State()
		_ = src.Close()
	}
	if r.f.stream == nil && !r.f.volatile() {
		if err := m.open(ctx); err != nil {
			return nil, err
		}
	}
	return m, m.recall(ctx)
}

func (m *claim) open(ctx context.Context) error {
	cp, err := m.c.store.Open(ctx, sourceKey(m.f))
	switch {
	case err == nil:
		m.cp = cp
		if damaged := cp.Damaged(); damaged != nil {
			m.warn("the video of an earlier run is not known any more", damaged)
		}
	case errors.Is(err, checkpoint.ErrInUse), ctx.Err() != nil:
		return fmt.Errorf("claim the source: %w", err)
	case !m.c.opts.CheckpointsOptional:
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	default:
		m.warn("the video will not be known after the end of this process", err)
	}
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.f.leftover = true
	return nil
}

func (m *claim) warn(msg string, err error) {
	m.c.opts.Logger.Warn(msg, m.c.attrs(m.f, "error", err)...)
}

// recall finds out what was made for these bytes before, by this process or another.
func (m *claim) recall(ctx context.Context) error {
	m.c.mu.Lock()
	if sameBytes(m.f.media.source, m.source) {
		m.id = m.f.info.VideoID
	} else {
		m.f.media.good = false
	}
	m.c.mu.Unlock()
	if m.cp == nil {
		return nil
	}
	rec, _, ok := m.cp.Load()
	switch {
	case !ok:
	case !sameBytes(rec.Source, m.source):
		m.forget(ctx, rec.VideoID)
	case rec.VideoID == "":
		// The mark goes: who tries again after this error has decided to.
		_ = m.cp.Remove()
		return fmt.Errorf("%w: a process began to make a video of it at %s, and ended before it knew the video's ID; trying again makes another",
			ErrAnswerLost, rec.Started.Format(time.RFC3339))
	default:
		m.id = rec.VideoID
	}
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.f.media.good = m.f.media.good && ok && rec.VideoID == m.f.mediaID()
	return nil
}

// sameBytes reports whether a source is the one that a video was made for. A chmod,
// or a disk mounted anew, makes no other film of it.
func sameBytes(a, b checkpoint.Source) bool {
	return a.Size == b.Size && a.ModTime.Equal(b.ModTime) && a.Inode == b.Inode && a.Fingerprint == b.Fingerprint
}

// upload brings the file to where the service wants it. What turns out on the way to
// be gone there is begun anew, once; a stream cannot be read a second time.
func (m *claim) upload(ctx context.Context) (transfer.Result, error) {
	for anew := false; ; anew = true {
		if err := m.authorize(ctx); err != nil {
			return transfer.Result{}, err
		}
		res, err := m.send(ctx)
		if anew || m.f.stream != nil || ctx.Err() != nil || !errors.Is(err, ErrNotRenewable) {
			return res, err
		}
		m.warn("the upload begins anew", err)
		m.renounce(ctx)
	}
}

// renounce forgets what was made, because the service does not go on with it.
func (m *claim) renounce(ctx context.Context) {
	m.forget(ctx, m.id)
	m.id = ""
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.f.media.good = false
}

// forget deletes the checkpoints of uploads to what is gone. There are no credentials
// that could abort them: the service clears its own buckets.
func (m *claim) forget(ctx context.Context, id string) {
	if err := m.c.forget(ctx, m.f.path, id); err != nil {
		m.warn("the checkpoint of an upload that is of no use stays", err)
	}
}

func (c *Client) forget(ctx context.Context, source, id string) error {
	if id == "" {
		return nil
	}
	entries, err := c.store.List(ctx)
	for _, e := range entries {
		if e.Record.Key.Source != source || e.Record.VideoID != id || e.Record.Key.Bucket == "" {
			continue
		}
		cp, oerr := c.store.Open(ctx, e.Record.Key)
		if oerr == nil {
			oerr = cp.Remove()
		}
		err = errors.Join(err, oerr)
	}
	return err
}

// end gives up the claim. What was made stays known unless the file is there.
func (m *claim) end(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		m.c.mu.Lock()
		m.f.media.good = false // another try asks anew: this one may have failed for what it was given
		m.c.mu.Unlock()
	}
	if m.cp == nil {
		return
	}
	give := m.cp.Close
	if err == nil {
		give = m.cp.Remove
	}
	if cerr := give(); cerr != nil {
		m.warn("give up the claim on the source", cerr)
	}
}

// abandon takes away what a file has left at the server and on disk.
func (c *Client) abandon(ctx context.Context, up *cleanup) error {
	if !c.asksAuthorizer(up.f) {
		return c.service.Abandon(ctx, up.job)
	}
	var cp checkpoint.Upload
	if !up.job.Volatile {
		var err error
		cp, err = c.store.Open(ctx, sourceKey(up.f))
		if errors.Is(err, checkpoint.ErrInUse) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim the source: %w", err)
		}
		defer cp.Close()
	}
	if up.job.Target.Bucket != "" {
		err := c.service.Abandon(ctx, up.job)
		if errors.Is(err, ErrNotRenewable) {
			err = c.forget(ctx, up.job.Name, up.job.VideoID)
		}
		if err != nil {
			return err
		}
	}
	if cp == nil {
		return nil
	}
	return cp.Remove()
}
