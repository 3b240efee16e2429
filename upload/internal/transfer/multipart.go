package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A multipart is an upload in parts, with its claimed checkpoint.
type multipart struct {
	*upload
	keep  *keeper // nil: of a stream
	rec   checkpoint.Record
	parts []wire.Part // by number-1; Number is 0 where the server does not have it yet

	resumedParts int
	resumedBytes int64
	lost         lostInitiates
	unsure       bool // a Complete was made, and what it came to is not known
}

// multipart claims the checkpoint, and gives it up again on every path.
func (u *upload) multipart(ctx context.Context) (Result, error) {
	keep, err := u.claim(ctx)
	if err != nil {
		return Result{}, u.leave(ctx, err)
	}
	m := &multipart{upload: u, keep: keep}
	if cp, ok := keep.Upload.(checkpoint.Unbegun); ok {
		m.lost.earlier, m.lost.claimed = cp.Unbegun(), time.Now()
	}
	defer func() {
		m.settleLost(ctx)
		keep.close()
		m.working.remove(m.rec.UploadID)
	}()
	res, err := m.run(ctx)
	if err != nil {
		m.giveUp(ctx, err)
		return Result{}, err
	}
	keep.remove()
	return res, nil
}

// run resumes the recorded upload or begins one. What turns out on the way to be of
// no use any more starts over, once.
func (m *multipart) run(ctx context.Context) (Result, error) {
	have, err := m.resume(ctx)
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
// compared with the server's list again, once: of some of them the server may have
// told another ETag than they have.
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

// isRestart reports whether the server does not know the upload ID.
func isRestart(err error) bool {
	we, ok := answer(err)
	return ok && we.Class == wire.Restart
}

// isRefused reports whether Complete did not take the parts: the server has others
// than it told when they were sent, or when they were listed (OSS documentation,
// CompleteMultipartUpload). The same list would be refused for ever.
func isRefused(err error) bool {
	we, ok := answer(err)
	if !ok {
		return false
	}
	switch we.Code {
	case "InvalidPart", "InvalidPartOrder", "EntityTooSmall":
		return true
	}
	return false
}

// split sets the parts, none of them sent.
func (m *multipart) split(plan Plan) {
	m.plan = plan
	m.parts = make([]wire.Part, plan.Count)
	m.resumedParts, m.resumedBytes = 0, 0
	m.tally.restart(0)
}

// giveUp ends an upload that failed: what can go on later stays, at the server and
// in the checkpoint; what cannot is taken away at both.
func (m *multipart) giveUp(ctx context.Context, err error) {
	switch {
	case errors.Is(err, ErrIntegrity), isStored(err), isUnverified(err):
		m.keep.remove() // it was completed: nothing is left to abort
	case isAbandoned(ctx), errors.Is(err, ErrChanged) && ctx.Err() == nil:
		ctx, cancel := cleanup(ctx)
		defer cancel()
		if m.discard(ctx) {
			m.keep.remove()
		}
	}
}

// isStored reports whether err says that the object is stored, but the server that
// was to be told of it did not answer well (OSS documentation, Callback: status
// 203).
func isStored(err error) bool {
	we, ok := answer(err)
	return ok && we.Stored() && we.Class == wire.Permanent
}

// isUnverified reports whether err says that the object was made, and its CRC64 was not
// told although it had to be.
func isUnverified(err error) bool {
	we, ok := answer(err)
	return ok && we.Op == target.OpComplete && errors.Is(we, wire.ErrNoCRC)
}
