package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// resume resumes the recorded upload, if there is one of this source. It returns
// false when a new one has to be initiated.
func (m *multipart) resume(ctx context.Context) (bool, error) {
	began := time.Now()
	rec, local, ok := m.keep.Load()
	if !ok {
		return false, nil
	}
	if err := checkRecord(rec, m.job.key()); err != nil {
		m.warn(fmt.Errorf("the upload starts over: %w", err))
		return false, nil
	}
	m.rec = rec
	plan, why := m.planned()
	if why != nil {
		m.warn(fmt.Errorf("the upload starts over: %w; upload %s is aborted, parts recorded of it: %d", why, rec.UploadID, len(local)))
		m.discard(ctx)
		return false, context.Cause(ctx)
	}
	m.split(plan)
	done, err := m.agreed(ctx, local)
	if err != nil {
		return false, err
	}
	if local, err = m.renew(ctx, began, local); err != nil {
		return false, err
	}
	if err := m.take(done, local); err != nil {
		return false, err
	}
	m.emit(Event{Kind: Initiated, UploadID: rec.UploadID, PartSize: rec.PartSize, Resumed: numbersOf(done)})
	return true, nil
}

func numbersOf(parts []wire.Part) []int {
	all := make([]int, len(parts))
	for i, p := range parts {
		all[i] = p.Number
	}
	return all
}

// checkRecord returns an error if a store gives a record that was never written for the
// key. Its upload ID may be anybody's, and is not aborted.
func checkRecord(rec checkpoint.Record, key checkpoint.Key) error {
	if err := rec.Validate(); err != nil {
		return err
	}
	if rec.Key != key {
		return fmt.Errorf("%w record: it is of another upload, %v", checkpoint.ErrInvalid, rec.Key)
	}
	if err := target.CheckUploadID(rec.UploadID); err != nil {
		return fmt.Errorf("%w record: %w", checkpoint.ErrInvalid, err)
	}
	return nil
}

// planned returns the parts that the record speaks of, or why they are of no use.
func (m *multipart) planned() (Plan, error) {
	rec := m.rec
	if why := otherSource(rec.Source, m.job.Source.State()); why != "" {
		return Plan{}, fmt.Errorf("the source changed since %s: %s", rec.Started.Format(time.RFC3339), why)
	}
	plan, err := NewPlan(m.plan.Size, rec.PartSize)
	if err != nil || plan.PartSize != rec.PartSize {
		return Plan{}, fmt.Errorf("the recorded part size of %d bytes does not fit", rec.PartSize)
	}
	return plan, nil
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
		// mean that it was completed: Complete decides.
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

// unchanged returns those of the recorded parts whose bytes are still the same. They
// are read again unless the source vouches for them. Of a fingerprint, which is only
// a claim of its owner, one part is the sample.
func (m *multipart) unchanged(ctx context.Context, parts []wire.Part) ([]wire.Part, error) {
	now := m.job.Source.State()
	if vouched(m.rec.Source, now) {
		sample := parts[:min(len(parts), 1)]
		if now.Fingerprint == "" || isSure(m.job.Source) {
			return parts, nil
		}
		if same, err := m.matching(ctx, sample); err != nil || len(same) == len(sample) {
			return parts, err
		}
	}
	same, err := m.matching(ctx, parts)
	if err == nil && len(same) < len(parts) {
		m.warn(fmt.Errorf("%d of %d recorded parts have other bytes in the source than at %s, and are sent again",
			len(parts)-len(same), len(parts), m.rec.Started.Format(time.RFC3339)))
	}
	return same, err
}

// renew writes a record of the source as it is now, if that is not what the record
// says, and returns the parts in it: none. What is sent from here on is of the source
// of now, and must not count for that of then if that comes back.
func (m *multipart) renew(ctx context.Context, began time.Time, local []checkpoint.Part) ([]checkpoint.Part, error) {
	now := recorded(m.job.Source.State(), began)
	if sameFile(m.rec.Source, now) {
		return local, nil
	}
	m.rec.Source = now
	return nil, m.keep.begin(ctx, m.rec)
}

// list returns the parts that the server has.
func (m *multipart) list(ctx context.Context) ([]wire.Part, error) {
	return fetch(ctx, m.caller, func(ctx context.Context, s Snapshot) ([]wire.Part, error) {
		return m.remote.ListParts(ctx, s, m.rec.UploadID)
	})
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
