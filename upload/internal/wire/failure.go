package wire

import (
	"errors"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// newError returns the error of r. a is the answer, or nil if there is none.
func (o *Object) newError(s Snapshot, r *request, out outcome, a *answer) *Error {
	e := &Error{
		Op:         r.op,
		Bucket:     o.target.Bucket,
		Object:     o.target.Object,
		UploadID:   r.uploadID,
		Part:       r.part,
		Generation: s.Generation,
		Err:        s.redactError(out.err),
		Source:     out.source,
		Unsent:     out.unsent,
	}
	var stall *stallError
	if errors.As(out.err, &stall) {
		e.Unanswered = stall.phase == awaiting
		e.Source = e.Source || stall.phase == reading
	}
	if a != nil {
		e.Status = a.status
		e.RequestID = oneLine(s.redact(a.header.Get(headerRequestID)))
		e.EC = oneLine(s.redact(a.header.Get(headerEC)))
		e.Delay = a.delay()
	}
	e.Class = classify(out)
	return e
}

// errorOfAnswer returns the error for an answer that is not one of success. used is the
// clock's offset that the request was dated by.
func (o *Object) errorOfAnswer(s Snapshot, r *request, out outcome, a *answer, used time.Duration) *Error {
	x, err := a.serviceError()
	out.status, out.code, out.throttled = a.status, x.Code, a.delay() > 0
	if x.misdated() {
		out.corrected, err = o.clock.learn(a.times(x), a.receivedAt, used)
	}
	out.err = a.redirect()
	if out.err == nil {
		out.err = err
	}
	e := o.newError(s, r, out, a)
	e.Code, e.Message = oneLine(s.redact(x.Code)), oneLine(s.redact(x.Message))
	e.RequestID, e.EC = oneLine(s.redact(x.RequestID)), oneLine(s.redact(x.EC))
	e.Endpoint = target.HostOf(s.redact(x.Endpoint), o.target.Bucket)
	return e
}

// errorOfBadSuccess returns the error for an answer of success that cannot be trusted.
func (o *Object) errorOfBadSuccess(s Snapshot, r *request, a *answer, err error) *Error {
	return o.newError(s, r, outcome{status: a.status, unverified: errors.Is(err, ErrNoCRC), err: err}, a)
}

// times returns what the answer says of the server's clock, the most trusted first:
// the error's own field is OSS's, while a proxy may have set the header by another clock.
func (a *answer) times(x xmlError) []time.Time {
	var all []time.Time
	if t, err := time.Parse(time.RFC3339, strings.TrimSpace(x.ServerTime)); err == nil {
		all = append(all, t)
	}
	if t := a.serverTime(); !t.IsZero() {
		all = append(all, t)
	}
	return all
}

// unverified is called for an answer of success without a CRC64: what is stored cannot be
// verified. It returns an error if nothing may be stored, or if that is not good enough.
func (o *Object) unverified(op string, a *answer, bare bool) error {
	if err := a.stranger(bare); err != nil {
		return err
	}
	return o.client.noCRC64(op)
}

// callbackError returns the error of an answer that says: stored, but the callback
// failed. Without a callback, 203 is what a gateway made of a 200.
func (o *Object) callbackError(s Snapshot, r *request, a *answer, opts *target.ObjectOptions) error {
	if a.status != statusCallbackFailed || !opts.HasCallback() {
		return nil
	}
	return o.errorOfAnswer(s, r, outcome{}, a, 0)
}
