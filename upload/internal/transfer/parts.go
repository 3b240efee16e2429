package transfer

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// sendParts sends what is missing, in order, and returns when no part is under way
// any more. Twice as many goroutines as there are slots, so that one that waits to
// retry leaves its slot to another part.
func (m *multipart) sendParts(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	var last atomic.Int64        // part that was taken
	taken := make(chan struct{}) // closed when there is none left to take
	noneLeft := sync.OnceFunc(func() { close(taken) })
	work := func() error {
		defer noneLeft()
		for n := int(last.Add(1)); n <= m.plan.Count && gctx.Err() == nil; n = int(last.Add(1)) {
			if m.parts[n-1].Number != 0 {
				continue
			}
			if err := m.sendPart(gctx, n); err != nil {
				return err
			}
		}
		return nil
	}
	m.staff(g, work, taken)
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// staff has as many goroutines work as there are slots for, and more when there are more
// slots, until done.
func (m *multipart) staff(g *errgroup.Group, work func() error, done <-chan struct{}) {
	for started := 0; ; {
		slots, changed := m.parallel.get()
		for ; started < min(2*slots, m.plan.Count); started++ {
			g.Go(work)
		}
		select {
		case <-changed:
		case <-done:
			return
		}
	}
}

func (m *multipart) sendPart(ctx context.Context, n int) error {
	off, size := m.plan.Section(n)
	part, err := m.putPart(ctx, n, m.job.Source, off, size)
	if err != nil {
		return err
	}
	m.parts[n-1] = part
	m.emit(Event{Kind: Progress})
	return m.keep.note(part)
}

// putPart sends a section of src as part n.
func (m *multipart) putPart(ctx context.Context, n int, src Source, off, size int64) (part wire.Part, err error) {
	err = m.call(ctx, n, func(ctx context.Context, s Snapshot) error {
		if err := m.fence.holds(ctx); err != nil {
			return err
		}
		src, section := sectioned(ctx, src, off, size)
		defer section.close()
		return m.send(src, section, off, size, func(b wire.Body) (err error) {
			part, err = m.remote.UploadPart(ctx, s, m.rec.UploadID, n, b, &m.job.Object)
			return err
		})
	})
	return part, err
}
