package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// resume takes up the recorded upload, if there is one of this source. It returns
// false when a new one has to be initiated.
func (m *multipart) resume(ctx context.Context) (bool, error) {
	rec, local, ok := m.keep.Load()
	if !ok {
		return false, nil
	}
	m.rec = rec
	if why := sameSource(rec.Source, m.job.Source.State()); why != "" {
		m.warn(fmt.Errorf("the upload begins anew: the source changed since %s: %s", rec.Started.Format(time.RFC3339), why))
		m.discard(ctx)
		return false, context.Cause(ctx)
	}
	plan, err := NewPlan(m.plan.Size, rec.PartSize)
	if err != nil || plan.PartSize != rec.PartSize {
		m.warn(fmt.Errorf("the upload begins anew: the recorded part size of %d bytes does not fit", rec.PartSize))
		m.discard(ctx)
		return false, context.Cause(ctx)
	}
	m.split(plan)
	done, err := m.agreed(ctx, local)
	if err != nil {
		return false, err
	}
	if err := m.take(done, local); err != nil {
		return false, err
	}
	m.emit(Event{Kind: Initiated, UploadID: rec.UploadID, PartSize: rec.PartSize})
	return true, nil
}

// agreed returns the parts that need not be sent again.
func (m *multipart) agreed(ctx context.Context, local []checkpoint.Part) ([]wire.Part, error) {
	listed, err := m.list(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil, !isAnswer(err):
		return nil, err
	case isRestart(err) && len(local) < m.plan.Count:
		return nil, err
	default:
		// The token may lack the right, or the server be unreachable for now: the
		// record is what there is. With all parts in it, a lost upload ID may also
		// mean that it was completed: Complete will tell.
		return m.unchanged(ctx, trusted(m.plan, local))
	}
	r := reconcile(m.plan, local, listed)
	done, err := m.unchanged(ctx, r.done)
	if err != nil {
		return nil, err
	}
	adopted, err := m.matching(ctx, r.adopt)
	return append(done, adopted...), err
}

// unchanged returns those of the recorded parts whose bytes are still the same.
// They are read again only where the file was touched since, where it is on another
// device, for the numbers of devices may change when they are mounted, or where
// nothing says that it is the same source.
func (m *multipart) unchanged(ctx context.Context, parts []wire.Part) ([]wire.Part, error) {
	rec, now := m.rec.Source, m.job.Source.State()
	if rec.ChangeTime.Equal(now.ChangeTime) && rec.Device == now.Device && !isNameless(now) {
		return parts, nil
	}
	return m.matching(ctx, parts)
}

// list returns the parts that the server has.
func (m *multipart) list(ctx context.Context) (parts []wire.Part, err error) {
	err = m.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		parts, err = m.remote.ListParts(ctx, s, m.rec.UploadID)
		return err
	})
	return parts, err
}

// take counts the parts that need not be sent, and adds to the checkpoint what it
// does not have of them.
func (m *multipart) take(done []wire.Part, local []checkpoint.Part) error {
	recorded := byNumber(local)
	for _, p := range done {
		m.parts[p.Number-1] = p
		m.resumedParts++
		m.resumedBytes += p.Size
		if mine, ok := recorded[p.Number]; ok && mine.ETag == p.ETag && agrees(mine, p) {
			continue
		}
		if err := m.keep.note(p); err != nil {
			return err
		}
	}
	m.tally.restart(m.resumedBytes)
	return nil
}

// recount compares the parts with the server's list once more, after Complete has
// refused them. What the server has as it was sent counts under the ETag that is
// listed now; everything else is to be sent again.
func (m *multipart) recount(ctx context.Context) error {
	listed, err := m.list(ctx)
	if err != nil {
		return err
	}
	there := make(map[int]wire.Part, len(listed))
	for _, p := range listed {
		there[p.Number] = p
	}
	var have int64
	for i, p := range m.parts {
		now, ok := there[p.Number]
		if !ok || !sameBytes(p, now) {
			m.parts[i] = wire.Part{}
			continue
		}
		have += p.Size
		if p.ETag == now.ETag {
			continue
		}
		m.parts[i].ETag = now.ETag
		if err := m.keep.note(m.parts[i]); err != nil {
			return err
		}
	}
	m.tally.restart(have)
	return nil
}
