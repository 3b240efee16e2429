package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
)

// permanentCodes are answers of OSS that another attempt gets as well.
var permanentCodes = []string{
	"NoSuchBucket", "InvalidBucketName", "InvalidObjectName", "InvalidArgument", "EntityTooLarge", "InvalidDigest",
}

// cause returns why an attempt ended, by its error and by why it was stopped.
func cause(err, reason error, draining bool) decide.Outcome {
	var inUse *checkpoint.InUseError
	var failed *upload.Error
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) || errors.Is(reason, t) })
	}
	switch {
	case err == nil:
		return decide.Outcome{Cause: decide.Done}
	case is(errTaken, errConflict, checkpoint.ErrLost):
		return decide.Outcome{Cause: decide.Lost}
	case errors.As(reason, &inUse) || errors.As(err, &inUse):
		return decide.Outcome{Cause: decide.Claimed, Until: inUse.Until}
	case is(checkpoint.ErrInUse, errSameFile, upload.ErrFileAlreadyExist):
		return decide.Outcome{Cause: decide.Claimed}
	case is(ErrInvalidArgument, ErrMissingArgument, ErrDigest, upload.ErrObjectExists, upload.ErrSizeMismatch):
		return decide.Outcome{Cause: decide.Permanent}
	case draining && is(context.Canceled, context.DeadlineExceeded, upload.ErrClosed, upload.ErrStopped):
		return decide.Outcome{Cause: decide.Drained}
	case is(ErrNoEngine, upload.ErrCheckpoint): // what keeps checkpoints is the engine
		return decide.Outcome{Cause: decide.Away}
	case is(ErrNoSource, upload.ErrFileNotExist):
		return decide.Outcome{Cause: decide.Sourceless}
	case errors.As(err, &failed) && slices.Contains(permanentCodes, failed.Code):
		return decide.Outcome{Cause: decide.Permanent}
	}
	return decide.Outcome{Cause: decide.Failed}
}

// end writes how the attempt ended, and does with the message what follows from that: the
// result first, then the record, then the message.
func (r *run) end(ctx context.Context, result upload.Result, err error, draining bool) {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.over = true
	log := r.w.opts.Logger.With("job", r.info.Job.ID, "source", shown(r.info.Job.Source))
	reason := r.stopped()
	if errors.Is(reason, errNothing) {
		_ = r.removeKept()
		_ = r.msg.NakWithDelay(100 * time.Millisecond) // what the state says now decides then
		return
	}
	outcome := cause(err, reason, draining)
	if !r.begun && err != nil && decide.OthersJob(r.info.State == StateRunning, r.info.Updated, touchAfter, r.w.opts.Lease, r.w.now()) {
		r.putOff(log, outcome, err)
		return
	}
	if outcome.Cause == decide.Done && !r.begun { // nothing was claimed: the object was there, for example
		if berr := r.beginLocked(ctx); berr != nil {
			outcome.Cause = decide.Lost
		}
	}
	now := r.w.now().UTC()
	if outcome.Cause == decide.Sourceless {
		if outcome.Since = r.info.attempts.MissingSince; outcome.Since.IsZero() {
			outcome.Since = now
		}
	}
	fruitless := r.info.attempts.Fruitless
	if !r.begun {
		fruitless++
	}
	v := decide.OnEnd(outcome, fruitless, r.w.limits(), r.w.opts.Lease, now)
	info := r.ended(v, outcome, result, err, now)
	changed := v.Write && (r.begun || v.Count || outcome.Cause != decide.Drained)
	if changed || v.Action == decide.Later && r.info.attempts.Unclaimed > 0 {
		ttl := time.Duration(0)
		if info.State == StateSucceeded {
			ttl = r.w.opts.KeepResults
		}
		var werr error
		if info, werr = r.replace(ctx, info, ttl); werr != nil {
			r.leave(log, werr)
			return
		}
	}
	switch v.Action {
	case decide.Ack:
		r.ack(ctx)
		log.Info("job succeeded", "object", info.Job.Object, "bytes", result.Size, "resumed", result.ResumedBytes, "attempt", info.Attempts)
	case decide.Bury:
		_ = r.removeKept()
		r.w.dismiss(ctx, info, r.msg)
	case decide.Leave:
		r.leave(log, err)
	case decide.Later:
		_ = r.removeKept()
		if outcome.Cause != decide.Claimed && outcome.Cause != decide.Drained {
			level := slog.LevelWarn
			if outcome.Cause == decide.Sourceless && !outcome.Since.Equal(now) {
				level = slog.LevelDebug // for a day perhaps: once is enough
			}
			log.Log(ctx, level, "attempt failed; the job is tried again", "attempt", info.Attempts, "after", v.Delay, "error", info.Error)
		}
		if v.Delay == 0 {
			_ = r.msg.Nak()
		} else {
			_ = r.msg.NakWithDelay(v.Delay)
		}
	}
}

// putOff leaves the state of a job that another worker seems to have as it is, and looks
// again later: that worker may be done then, or its claim free.
func (r *run) putOff(log *slog.Logger, o decide.Outcome, err error) {
	_ = r.removeKept()
	v := decide.OnEnd(decide.Outcome{Cause: decide.Claimed, Until: o.Until}, 0, r.w.limits(), r.w.opts.Lease, r.w.now())
	log.Debug("another worker has the job; it is put off", "after", v.Delay, "error", err)
	if o.Cause == decide.Drained {
		_ = r.msg.Nak()
		return
	}
	_ = r.msg.NakWithDelay(v.Delay)
}

// ended returns the state of the job after the attempt.
func (r *run) ended(v decide.Verdict, o decide.Outcome, result upload.Result, err error, now time.Time) JobInfo {
	info := r.withProgress(r.info)
	if r.begun && !v.Count { // the attempt is taken back
		info.Attempts, info.attempts = r.before.Attempts, r.before.attempts
	} else if !r.begun && v.Count { // it failed before the claim
		info.Attempts++
		info.attempts.Fruitless++
		info.Worker, info.Started = r.w.opts.Name, now
	}
	info.State, info.attempts.Unclaimed = StateQueued, 0
	switch v.Action {
	case decide.Ack:
		info.State, info.Ended, info.Result = StateSucceeded, now, &result
		info.Size, info.Uploaded, info.Error, info.Code = result.Size, result.Size, "", ""
		return info
	case decide.Bury:
		info.State, info.Ended = StateDead, now
	case decide.Later:
		if v.Delay > 0 {
			info.NotBefore = now.Add(v.Delay)
		}
	}
	switch o.Cause {
	case decide.Drained, decide.Claimed, decide.Lost:
		return info
	case decide.Sourceless:
		info.attempts.MissingSince = o.Since
	}
	info.Error, info.Code = r.w.describe(err)
	return info
}

// describe returns the text and the code of an error for the state.
func (w *Worker) describe(err error) (text, code string) {
	var failed *upload.Error
	if errors.As(err, &failed) {
		code = failed.Code
	}
	return w.opts.Name + ": " + shortened(err.Error()), code
}

// maxError is how long the text of an error may be in a state, in bytes: a message of the
// engine has a limit, and an attempt whose end could not be written would be made for ever.
const maxError = 4 << 10

// shortened returns a text in one line, and little longer than maxError.
func shortened(text string) string {
	rest := ""
	if len(text) > maxError {
		text, rest = text[:maxError], fmt.Sprintf(" … (%d bytes)", len(text))
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ") + rest
}

// ack takes the message of a job whose result is written from the queue, unless the claim
// was lost: then it is another worker's, which finds the result.
func (r *run) ack(ctx context.Context) {
	if r.removeKept() != nil {
		return // it comes again, for the record that is left
	}
	_ = r.msg.DoubleAck(ctx) // if that fails, it comes again, and is acknowledged then
}

// leave ends an attempt whose message and record may be another worker's.
func (r *run) leave(log *slog.Logger, err error) {
	if kept := r.takeKept(); kept != nil {
		_ = kept.Close()
	}
	log.Warn("attempt left to another worker, or to the next delivery", "error", err)
}
