package transfer

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// streamed brings the session's stream to its object: one of one part by
// PutObject, any other like a file whose parts are held in memory.
func (u *upload) streamed(ctx context.Context) (Result, error) {
	job := *u.job
	job.Source = inMemory(nil)
	u.job = &job
	st := u.session.stream
	plan, err := NewPlan(st.total, u.opts.PartSize)
	if err != nil {
		return Result{}, err
	}
	u.plan = plan
	st.setPartSize(plan)
	return u.claimed(ctx, (*multipart).stream)
}

func (m *multipart) stream(ctx context.Context) (Result, error) {
	st := m.session.stream
	m.rec, _, _ = m.keep.Load()
	if m.rec.UploadID == "" {
		first, err := m.first(ctx, st)
		if err != nil {
			return Result{}, err
		}
		if st.ended {
			return m.putBytes(ctx, first)
		}
		if err := m.initiate(ctx); err != nil {
			return Result{}, err
		}
	}
	if err := m.sendStream(ctx, st); err != nil {
		return Result{}, err
	}
	m.parts = slices.Clone(st.parts)
	m.plan = Plan{Size: st.bytes, PartSize: st.size, Count: len(st.parts)}
	res, err := m.complete(ctx)
	if isRefused(err) && m.recount(ctx) == nil && !slices.ContainsFunc(m.parts, isMissing) {
		m.warn(fmt.Errorf("the parts were compared with the server's list again: %w", err))
		res, err = m.complete(ctx)
	}
	return res, err
}

func isMissing(p wire.Part) bool { return p.Number == 0 }

// first returns the first part. After it is known whether there are more.
func (m *multipart) first(ctx context.Context, st *Stream) ([]byte, error) {
	if held := st.pending()[1]; held != nil {
		return held, nil
	}
	c, err := st.next(ctx)
	if err != nil {
		return nil, err
	}
	st.hold(c.buf)
	m.sized(st)
	return c.buf, nil
}

// sized reports the length, once the reader has ended.
func (m *multipart) sized(st *Stream) {
	if st.ended {
		m.emit(Event{Kind: Sized, Size: st.bytes})
	}
}

// putBytes sends a stream of one part.
func (m *multipart) putBytes(ctx context.Context, buf []byte) (Result, error) {
	m.job.Source, m.plan = inMemory(buf), Plan{Size: int64(len(buf)), PartSize: m.opts.PartSize, Count: 1}
	return m.putObject(ctx)
}

// An inMemory is a part that was read already, as a source of its own.
type inMemory []byte

func (b inMemory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(b).ReadAt(p, off) }

func (b inMemory) State() checkpoint.Source { return checkpoint.Source{Size: int64(len(b))} }

func (inMemory) Check() error { return nil }

func (inMemory) Touched() (bool, error) { return false, nil }

func (inMemory) Close() error { return nil }

// sendStream sends what an earlier run left, then what the reader still gives. One
// part is read while as many are in flight as there may be.
func (m *multipart) sendStream(ctx context.Context, st *Stream) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	group, gctx := errgroup.WithContext(ctx)
	g := newCrew(group, m.parallel, addressable(st.size, math.MaxInt))
	var have int64
	for _, p := range st.parts {
		have += p.Size
	}
	m.tally.restart(have)
	for n, buf := range st.pending() {
		g.Go(func() error { return m.sendBuffered(gctx, st, n, buf) })
	}
	var err error
	for !st.ended && err == nil {
		var c chunk
		if c, err = st.next(gctx); err != nil || len(c.buf) == 0 {
			break
		}
		n := st.hold(c.buf)
		if n > MaxParts {
			err = fmt.Errorf("%w of %d bytes", ErrTooManyParts, st.size)
			break
		}
		g.Go(func() error { return m.sendBuffered(gctx, st, n, c.buf) })
	}
	if err != nil && gctx.Err() == nil {
		end(err) // without the rest, the parts in flight are of no use
		_ = g.Wait()
		return err
	}
	if gerr := g.Wait(); gerr != nil {
		return gerr
	}
	m.sized(st)
	return err
}

func (m *multipart) sendBuffered(ctx context.Context, st *Stream, n int, buf []byte) error {
	part, err := m.putPart(ctx, n, inMemory(buf), 0, int64(len(buf)))
	if err != nil {
		return err
	}
	st.acknowledge(part, m.parallel.now())
	m.emit(Event{Kind: Progress})
	return nil
}
