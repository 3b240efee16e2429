package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A claim is the right of one run to bring a source to the media service, and what
// is known of an earlier one.
type claim struct {
	*run
	cp     checkpoint.Upload // nil: none is kept
	source checkpoint.Source // as it is now
	id     string            // of what was made for these bytes
}

// sourceKey is what a source is claimed under before it has a destination.
func sourceKey(source string) checkpoint.Key { return checkpoint.Key{Source: source} }

// uploadAuthorized is upload for a file that the Authorizer gives its destination.
func (r *run) uploadAuthorized(ctx context.Context) (transfer.Result, error) {
	if err := r.awaitNamesake(ctx); err != nil {
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
	if r.e.stream == nil {
		src, err := r.e.reopen()
		if err != nil {
			return nil, err
		}
		m.source = src.State()
		_ = src.Close()
	}
	if r.e.stream == nil && !r.e.volatile() {
		if err := m.open(ctx); err != nil {
			return nil, err
		}
	}
	return m, m.recall(ctx)
}

func (m *claim) open(ctx context.Context) error {
	cp, err := m.c.store.Open(ctx, sourceKey(m.e.source))
	switch {
	case err == nil:
		m.cp = cp
		if damaged := cp.Damaged(); damaged != nil {
			m.warn("the video of an earlier run is not known any more", damaged)
		}
	case errors.Is(err, checkpoint.ErrInUse):
		return transfer.Used(err)
	case ctx.Err() != nil:
		return fmt.Errorf("claim the source: %w", err)
	case !m.c.opts.CheckpointsOptional:
		return transfer.Unkept(err)
	default:
		m.warn("the video will not be known after the end of this process", err)
	}
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.leaves = true
	return nil
}

func (m *claim) warn(msg string, err error) {
	m.c.opts.Logger.Warn(msg, m.c.attrs(m.e, "error", err)...)
}

// recall finds out what was made for these bytes before, by this process or another.
func (m *claim) recall(ctx context.Context) error {
	m.c.mu.Lock()
	if sameBytes(m.e.media.source, m.source) {
		m.id = m.e.videoID
	} else {
		m.e.media.good = false
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
	m.e.media.good = m.e.media.good && ok && rec.VideoID == m.e.made()
	return nil
}

// sameBytes reports whether a source is the one that a video was made for. A chmod, a
// copy that keeps its time, or a disk mounted anew makes no other film of it; which of
// the recorded parts have its bytes is looked at when they are resumed.
func sameBytes(a, b checkpoint.Source) bool {
	return a.Size == b.Size && a.ModTime.Equal(b.ModTime) && a.Fingerprint == b.Fingerprint
}

// upload brings the file to where the service wants it. What turns out on the way to
// be gone there is begun anew, once; a stream cannot be read a second time.
func (m *claim) upload(ctx context.Context) (transfer.Result, error) {
	for anew := false; ; anew = true {
		if err := m.authorize(ctx); err != nil {
			return transfer.Result{}, err
		}
		res, err := m.send(ctx)
		if anew || m.e.stream != nil || ctx.Err() != nil || !errors.Is(err, ErrNotRenewable) {
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
	m.e.media.good = false
}

// forget deletes the checkpoints of uploads to what is gone. There are no credentials
// that could abort them: the service clears its own buckets.
func (m *claim) forget(ctx context.Context, id string) {
	if err := m.c.forget(ctx, m.e.source, id); err != nil {
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
		err = target.Join(err, oerr)
	}
	return err
}

// end gives up the claim. What was made stays known unless the file is there.
func (m *claim) end(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		m.c.mu.Lock()
		m.e.media.good = false // another try asks anew: this one may have failed for what it was given
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
	if !c.asksAuthorizer(up.e) {
		return c.service.Abandon(ctx, up.job)
	}
	var cp checkpoint.Upload
	if !up.job.Volatile {
		var err error
		cp, err = c.store.Open(ctx, sourceKey(up.e.source))
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
	// An earlier process may have got further. Nobody could abort what it left: there
	// are no credentials for it.
	if rec, _, ok := cp.Load(); ok && rec.VideoID != "" && up.job.Target.Bucket == "" {
		if err := c.forget(ctx, up.job.Name, rec.VideoID); err != nil {
			return err
		}
	}
	return cp.Remove()
}
