package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A multipart is an upload in parts, with its claimed checkpoint.
type multipart struct {
	*upload
	keep  *recorder
	rec   checkpoint.Record
	parts []wire.Part // by number-1; Number is 0 where the server does not have it yet

	resumedParts int
	resumedBytes int64
	lost         lostInitiates

	completeUnknown bool // a Complete was made, and its outcome is not known
	completedBefore bool // by another run
}

// multipart brings a source of more than one part to its object.
func (u *upload) multipart(ctx context.Context) (Result, error) {
	return u.claimed(ctx, (*multipart).run)
}

// claimed claims the checkpoint for a run, and releases it on every path.
func (u *upload) claimed(ctx context.Context, run func(*multipart, context.Context) (Result, error)) (Result, error) {
	keep, err := u.claim(ctx)
	if err != nil {
		return Result{}, u.abandonIfCanceled(ctx, err)
	}
	u.fence = keep.fence
	ctx, release := u.fence.during(ctx)
	defer release()
	m := &multipart{upload: u, keep: keep, lost: u.lostBefore(keep.Claim)}
	var interrupted bool
	defer func() {
		m.settleLost(ctx)
		keep.close()
		if u.session.stream == nil || !interrupted || isAbandoned(ctx) {
			m.working.remove(m.rec.UploadID)
		}
	}()
	res, err := run(m, ctx)
	if err != nil {
		if u.fence.look() == nil {
			interrupted = isInterrupted(ctx, err)
			m.endFailed(ctx, err, !interrupted)
		}
		return Result{}, u.fence.after(err)
	}
	m.settleLost(ctx) // while the claim is held: an abort asks it
	u.session.lost = lostInitiates{}
	keep.remove()
	return res, nil
}

// isInterrupted reports whether a run that has ended with err did so because of the end
// of its context: another run resumes it. One that failed by itself may see that end
// while it cleans up.
func isInterrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, context.Canceled))
}

// run resumes the recorded upload or begins one. An upload that proves to be of
// no use any more starts over, once. That the server does not know a recorded one when it is
// asked costs nothing, and does not count.
func (m *multipart) run(ctx context.Context) (Result, error) {
	have, err := m.resume(ctx)
	if isRestart(err) && ctx.Err() == nil {
		m.warn(fmt.Errorf("the upload starts over: %w", err))
		have, err = false, nil
	}
	if err == nil && !have {
		err = m.initiate(ctx)
	}
	var res Result
	if err == nil {
		res, err = m.finish(ctx)
	}
	if !isRestart(err) && !isRefused(err) || ctx.Err() != nil {
		return res, err
	}
	m.warn(fmt.Errorf("the upload starts over: %w", err))
	if !isRestart(err) {
		m.discard(ctx)
	}
	if err := m.initiate(ctx); err != nil {
		return Result{}, err
	}
	return m.finish(ctx)
}

// finish sends what is missing, and makes the object. Parts that are refused are
// compared with the server's list again, once: the server may have
// reported another ETag for some of them than they have.
func (m *multipart) finish(ctx context.Context) (Result, error) {
	res, err := m.sendAndComplete(ctx)
	if !isRefused(err) || ctx.Err() != nil {
		return res, err
	}
	m.warn(fmt.Errorf("the parts are compared with the server's list again: %w", err))
	switch rerr := m.recount(ctx); {
	case rerr == nil:
		return m.sendAndComplete(ctx)
	case isRestart(rerr) || !isAnswer(rerr) || ctx.Err() != nil:
		return Result{}, rerr
	}
	return Result{}, err // the list was not to be had
}

func (m *multipart) sendAndComplete(ctx context.Context) (Result, error) {
	if err := m.sendParts(ctx); err != nil {
		return Result{}, err
	}
	if err := m.local(ctx, 0, func() error { return checkEnd(m.job.Source) }); err != nil {
		return Result{}, err
	}
	if err := m.stillSame(ctx, m.parts); err != nil {
		return Result{}, err
	}
	if err := m.keep.flush(ctx); err != nil {
		return Result{}, err
	}
	return m.complete(ctx)
}

// split sets the parts, none of them sent.
func (m *multipart) split(plan Plan) {
	m.plan = plan
	m.parts = make([]wire.Part, plan.Count)
	m.resumedParts, m.resumedBytes = 0, 0
	m.tally.restart(0)
}

// endFailed ends a run with err; failed is false if it was interrupted. What another run
// can resume stays, at the server and in the checkpoint; all else is discarded. Of a
// stream nothing can be resumed once it failed; what may yet become the object, because
// the outcome of Complete is not known, is left alone.
func (m *multipart) endFailed(ctx context.Context, err error, failed bool) {
	streamed := m.session.stream != nil
	switch {
	case errors.Is(err, ErrIntegrity), isStored(err), isUnverified(err):
		m.keep.remove() // it was completed: nothing is left to abort
	case isAbandoned(ctx), failed && errors.Is(err, ErrChanged), failed && streamed && !m.completeUnknown, failed && m.job.IfExists == Skip && isExisting(err):
		if streamed {
			ctx = context.WithoutCancel(ctx) // no other run would abort it
		}
		ctx, cancel := cleanup(ctx)
		defer cancel()
		if m.discard(ctx) {
			m.keep.remove()
		}
	case failed && streamed:
		m.warn(fmt.Errorf("an upload may be unfinished at the server, upload ID %s: it is not known whether it was completed", m.rec.UploadID))
	}
}

// discard aborts the recorded upload, which is of no use any more. If the server does not
// let it be aborted, that is reported, and no error.
func (m *multipart) discard(ctx context.Context) bool {
	err := m.abort(ctx, m.fence, m.remote, m.rec.UploadID)
	if err != nil && ctx.Err() == nil && m.fence.look() == nil {
		m.warn(fmt.Errorf("an unfinished upload stays at the server: %w", err))
	}
	return err == nil
}

// isStored reports whether err says that the object is stored, but the server that
// was to be notified did not answer well (OSS documentation, Callback: status
// 203).
func isStored(err error) bool {
	we, ok := answer(err)
	return ok && we.Stored() && we.Class == wire.Permanent
}

// isUnverified reports whether err says that the object was made, and its CRC64 was not
// reported although it had to be.
func isUnverified(err error) bool {
	we, ok := answer(err)
	return ok && we.Op == target.OpComplete && errors.Is(we, wire.ErrNoCRC)
}
