package transfer

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// initiate begins a new upload. Its ID is durable before anything is sent.
//
// Where the answer is lost, an upload without parts stays at the server whose ID is
// not known. The end of the run aborts it, or that of the next run; else
// [Service.Sweep] finds it in the server's list.
func (m *multipart) initiate(ctx context.Context) error {
	plan, err := NewPlan(m.plan.Size, m.opts.PartSize)
	if err != nil {
		return err
	}
	began := time.Now()
	var begun wire.Initiated
	err = m.call(ctx, 0, func(ctx context.Context, s Snapshot) (err error) {
		if err := m.job.Source.Check(); err != nil {
			return err
		}
		if err := m.fence.askToInitiate(ctx); err != nil {
			return err
		}
		made := time.Now()
		begun, err = m.remote.Initiate(ctx, s, &m.job.Object)
		if err != nil && mayHaveInitiated(err) {
			m.lost.add(made, time.Now())
		}
		return err
	})
	if err != nil {
		return err
	}
	m.split(plan)
	m.working.remove(m.rec.UploadID)
	m.working.add(begun.UploadID)
	m.rec = checkpoint.Record{
		Version: checkpoint.Version, Key: m.job.key(), Source: recorded(m.job.Source.State(), began),
		UploadID: begun.UploadID, PartSize: plan.PartSize, Started: begun.ServerTime, VideoID: m.job.VideoID,
	}
	if err := m.keep.begin(ctx, m.rec); err != nil {
		if lost := m.fence.look(); lost != nil {
			m.warn(fmt.Errorf("upload %s stays at the server until a sweep finds it: it was begun while the claim was lost", m.rec.UploadID))
			return lost
		}
		// Nobody would find the upload again, so it does not stay at the server,
		// also when it was only interrupted.
		return target.Join(err, m.abort(context.WithoutCancel(ctx), m.fence, m.remote, m.rec.UploadID))
	}
	m.emit(Event{Kind: Initiated, UploadID: m.rec.UploadID, PartSize: plan.PartSize})
	return nil
}

// mayHaveInitiated reports whether the server may have made an upload although the
// request for it failed, or was interrupted.
func mayHaveInitiated(err error) bool {
	we, ok := answer(err)
	return !ok || ambiguous(we)
}
