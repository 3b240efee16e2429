package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// cleanupTimeout bounds what is done at the server after an upload was given up.
const cleanupTimeout = 30 * time.Second

// A multipart is an upload in parts, with its claimed checkpoint.
type multipart struct {
	*upload
	cp    checkpoint.Upload
	rec   checkpoint.Record
	parts []wire.Part // by number-1; Number is 0 where the server does not have it yet

	resumedParts int
	resumedBytes int64
}

// multipart claims the checkpoint, and gives it up again on every path.
func (u *upload) multipart(ctx context.Context) (Result, error) {
	cp, err := u.claim(ctx)
	if err != nil {
		return Result{}, err
	}
	m := &multipart{upload: u, cp: cp}
	res, err := m.run(ctx)
	if err != nil {
		err = m.giveUp(ctx, err)
	}
	if cerr := cp.Close(); cerr != nil {
		u.warn(fmt.Errorf("close checkpoint: %w", cerr))
	}
	return res, err
}

// claim opens the checkpoint. Where none can be kept, it is an error unless the
// upload was told to go on without.
func (u *upload) claim(ctx context.Context) (checkpoint.Upload, error) {
	cp, err := u.store(u.job).Open(ctx, u.job.key())
	switch {
	case err == nil:
		if damaged := cp.Damaged(); damaged != nil {
			u.warn(fmt.Errorf("the upload begins anew: %w", damaged))
		}
		return cp, nil
	case errors.Is(err, checkpoint.ErrInUse), ctx.Err() != nil, !u.opts.Optional:
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	u.warn(fmt.Errorf("%w, the upload goes on without: %w", ErrCheckpoint, err))
	return checkpoint.NewMemory().Open(ctx, u.job.key())
}

// run sends and completes, and begins anew once if the server has lost the upload.
func (m *multipart) run(ctx context.Context) (Result, error) {
	have, err := m.resume(ctx)
	if err == nil && !have {
		err = m.initiate(ctx)
	}
	var res Result
	if err == nil {
		res, err = m.sendAndComplete(ctx)
	}
	if !isRestart(err) {
		return res, err
	}
	m.warn(fmt.Errorf("the upload begins anew: %w", err))
	if err := m.initiate(ctx); err != nil {
		return Result{}, err
	}
	return m.sendAndComplete(ctx)
}

func isRestart(err error) bool {
	var we *wire.Error
	return errors.As(err, &we) && we.Class == wire.Restart
}

// initiate begins a new upload. Its ID is durable before anything is sent.
func (m *multipart) initiate(ctx context.Context) error {
	plan, err := NewPlan(m.plan.Size, m.opts.PartSize)
	if err != nil {
		return err
	}
	m.plan = plan
	m.forget()
	var begun wire.Initiated
	err = m.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		if err := m.job.Source.Check(); err != nil {
			return err
		}
		begun, err = m.remote.Initiate(ctx, s, &m.job.Object)
		return err
	})
	if err != nil {
		return err
	}
	m.rec = checkpoint.Record{
		Version: checkpoint.Version, Key: m.job.key(), Source: m.job.Source.State(),
		UploadID: begun.UploadID, PartSize: plan.PartSize, Started: begun.Served, VideoID: m.job.VideoID,
	}
	if err := m.begin(ctx); err != nil {
		// Nobody would find the upload again, so it does not stay at the server.
		return errors.Join(err, m.abort(ctx))
	}
	m.emit(Event{Kind: Initiated, UploadID: m.rec.UploadID, PartSize: plan.PartSize})
	return nil
}

func (m *multipart) begin(ctx context.Context) error {
	err := m.cp.Begin(ctx, m.rec)
	if err == nil {
		return nil
	}
	if !m.opts.Optional || ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return m.without(ctx, err)
}

// without goes on with a checkpoint in memory after the one on disk failed.
func (m *multipart) without(ctx context.Context, cause error) error {
	m.warn(fmt.Errorf("%w, the upload goes on without: %w", ErrCheckpoint, cause))
	_ = m.cp.Remove()
	cp, err := checkpoint.NewMemory().Open(ctx, m.rec.Key)
	if err != nil {
		return err
	}
	m.cp = cp
	return cp.Begin(ctx, m.rec)
}

// forget takes all parts as not sent.
func (m *multipart) forget() {
	m.parts = make([]wire.Part, m.plan.Count)
	m.resumedParts, m.resumedBytes = 0, 0
	m.acked.Store(0)
}

// resume takes up the recorded upload, if there is one of this source. It returns
// false when a new one has to be initiated.
func (m *multipart) resume(ctx context.Context) (bool, error) {
	rec, local, ok := m.cp.Load()
	if !ok {
		return false, nil
	}
	m.rec = rec
	now := m.job.Source.State()
	if why := sameSource(rec.Source, now); why != "" {
		m.warn(fmt.Errorf("the upload begins anew: the source changed since %s: %s", rec.Started.Format(time.RFC3339), why))
		return false, m.discard(ctx)
	}
	plan, err := NewPlan(m.plan.Size, rec.PartSize)
	if err != nil || plan.PartSize != rec.PartSize {
		return false, m.discard(ctx)
	}
	m.plan = plan
	m.forget()
	done, err := m.agreed(ctx, local)
	if err != nil {
		return false, err
	}
	m.take(done)
	m.emit(Event{Kind: Initiated, UploadID: rec.UploadID, PartSize: rec.PartSize})
	return true, nil
}

// discard ends the recorded upload, which is of no use any more. That the server
// does not let it be aborted is no reason not to upload.
func (m *multipart) discard(ctx context.Context) error {
	if err := m.abort(ctx); err != nil {
		m.warn(fmt.Errorf("an unfinished upload stays at the server: %w", err))
	}
	return context.Cause(ctx)
}

// agreed returns the parts that need not be sent again.
func (m *multipart) agreed(ctx context.Context, local []checkpoint.Part) ([]wire.Part, error) {
	var listed []wire.Part
	err := m.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		listed, err = m.remote.ListParts(ctx, s, m.rec.UploadID)
		return err
	})
	var we *wire.Error
	switch {
	case err == nil:
	case ctx.Err() != nil, !errors.As(err, &we):
		return nil, err
	case we.Class == wire.Restart && len(local) < m.plan.Count:
		return nil, err
	default:
		// The token may lack the right, or the server be unreachable for now: the
		// record is what there is. With all parts in it, a lost upload ID may also
		// mean that it was completed: Complete will tell.
		return m.unchanged(ctx, trusted(m.plan, local))
	}
	r := reconcile(m.plan, local, listed)
	adopted, err := m.matching(ctx, r.adopt)
	if err != nil {
		return nil, err
	}
	done, err := m.unchanged(ctx, r.done)
	return append(done, adopted...), err
}

// unchanged returns those of the recorded parts whose bytes are still the same.
// They are read again only where the file was touched since.
func (m *multipart) unchanged(ctx context.Context, parts []wire.Part) ([]wire.Part, error) {
	if m.rec.Source.ChangeTime.Equal(m.job.Source.State().ChangeTime) {
		return parts, nil
	}
	return m.matching(ctx, parts)
}

func (m *multipart) take(done []wire.Part) {
	for _, p := range done {
		m.parts[p.Number-1] = p
		m.resumedParts++
		m.resumedBytes += p.Size
	}
	m.acked.Store(m.resumedBytes)
}

func (m *multipart) sendAndComplete(ctx context.Context) (Result, error) {
	if err := m.sendParts(ctx); err != nil {
		return Result{}, err
	}
	if err := m.stillSame(ctx); err != nil {
		return Result{}, err
	}
	if err := m.flush(ctx); err != nil {
		return Result{}, err
	}
	res, err := m.complete(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := m.cp.Remove(); err != nil {
		m.warn(fmt.Errorf("remove checkpoint of a finished upload: %w", err))
	}
	return res, nil
}

// sendParts sends what is missing, in order. Twice as many goroutines as there are
// slots, so that one that waits to retry leaves its slot to another part.
func (m *multipart) sendParts(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * m.opts.Parallel)
	for n := 1; n <= m.plan.Count && gctx.Err() == nil; n++ {
		if m.parts[n-1].Number == 0 {
			g.Go(func() error { return m.sendPart(gctx, n) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

func (m *multipart) sendPart(ctx context.Context, n int) error {
	off, size := m.plan.Section(n)
	var part wire.Part
	err := m.call(ctx, n, func(ctx context.Context, s Snapshot) error {
		return m.send(off, size, func(b wire.Body) (err error) {
			part, err = m.remote.UploadPart(ctx, s, m.rec.UploadID, n, b, &m.job.Object)
			return err
		})
	})
	if err != nil {
		return err
	}
	m.parts[n-1] = part
	m.acked.Add(size)
	m.emit(Event{Kind: Progress})
	return m.note(part)
}

// note adds an acknowledged part to the checkpoint.
func (m *multipart) note(p wire.Part) error {
	err := m.cp.Add(checkpoint.Part{Number: p.Number, Size: p.Size, ETag: p.ETag, CRC64: p.CRC64})
	return m.tolerate(err)
}

func (m *multipart) flush(ctx context.Context) error {
	err := m.cp.Flush(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return m.tolerate(err)
}

// tolerate makes a failed write of the checkpoint a warning where that was asked for.
func (m *multipart) tolerate(err error) error {
	if err == nil {
		return nil
	}
	if !m.opts.Optional {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	m.warn(fmt.Errorf("%w: %w", ErrCheckpoint, err))
	return nil
}

// stillSame is the last look at the source before the object is made. If it was
// touched in a way that leaves size and time as they were, all of it is read
// again: the parts are what they were when they were sent.
func (m *multipart) stillSame(ctx context.Context) error {
	if err := m.job.Source.Check(); err != nil {
		return err
	}
	touched, err := m.job.Source.Touched()
	if err != nil || !touched {
		return err
	}
	same, err := m.matching(ctx, m.parts)
	if err != nil {
		return err
	}
	if len(same) < len(m.parts) {
		return fmt.Errorf("%w: %d of %d parts have other bytes now, though size and time are the same", ErrChanged, len(m.parts)-len(same), len(m.parts))
	}
	return nil
}

// giveUp ends an upload that failed: what can go on later stays, at the server and
// in the checkpoint; what cannot is taken away at both.
func (m *multipart) giveUp(ctx context.Context, err error) error {
	gone := errors.Is(err, ErrIntegrity) || isCallbackFailed(err) // completed: nothing is left to abort
	if !gone && !errors.Is(err, ErrChanged) && !errors.Is(context.Cause(ctx), ErrAbandon) {
		return err
	}
	if !gone {
		if aerr := m.abort(ctx); aerr != nil {
			// The checkpoint stays: it is what a later clean-up finds the upload by.
			m.warn(fmt.Errorf("an unfinished upload stays at the server: %w", aerr))
			return err
		}
	}
	if rerr := m.cp.Remove(); rerr != nil {
		m.warn(fmt.Errorf("remove checkpoint: %w", rerr))
	}
	return err
}

// abort ends the upload at the server, whatever has become of ctx. Parts that were
// being received may survive it (OSS documentation, AbortMultipartUpload), so it
// is repeated until the server does not know the upload any more.
func (m *multipart) abort(ctx context.Context) error {
	if m.rec.UploadID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	for range 3 {
		err := m.call(ctx, 0, func(ctx context.Context, s Snapshot) error {
			return m.remote.Abort(ctx, s, m.rec.UploadID)
		})
		if isRestart(err) {
			return nil
		}
		if err != nil {
			return err
		}
		err = m.call(ctx, 0, func(ctx context.Context, s Snapshot) error {
			_, err := m.remote.ListParts(ctx, s, m.rec.UploadID)
			return err
		})
		if err != nil {
			return nil // not there any more, or it cannot be seen
		}
	}
	return fmt.Errorf("upload %s is still there after 3 aborts", m.rec.UploadID)
}
