package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// do sends r once, signed by s. If the answer is not one of success, it returns an
// *Error; the reply holds what came all the same.
func (o *Object) do(ctx context.Context, s Snapshot, r *request) (reply, error) {
	start := time.Now()
	send := o.send
	if o.client.observer != nil {
		send = o.observed
	}
	rep, err := send(ctx, s, r)
	o.log(ctx, s, r, &rep, err, start)
	return rep, err
}

// observed makes a request while an observer looks.
func (o *Object) observed(ctx context.Context, s Snapshot, r *request) (reply, error) {
	c := Call{Op: r.op, Bucket: o.target.Bucket, Object: o.target.Object, UploadID: r.uploadID, Part: r.part, Attempt: 1}
	ofSource := r.op == opPut || r.op == opUploadPart // the body of a Complete is the list of parts
	if ofSource && r.body != nil {
		c.Bytes = r.body.Size
	}
	if n, ok := ctx.Value(attemptKey{}).(int); ok {
		c.Attempt = n
	}
	began := time.Now()
	ctx = o.client.observer.Start(ctx, c)
	rep, err := o.send(ctx, s, r)
	done := Done{Status: rep.status, RequestID: oneLine(s.redact(rep.header.Get(headerRequestID))), Took: time.Since(began), Err: err}
	if ofSource {
		done.Sent, done.Source = rep.read, rep.source
	}
	o.client.observer.End(ctx, c, done)
	return rep, err
}

// doXML is do for an answer that is decoded into x, and that check then looks at.
func (o *Object) doXML(ctx context.Context, s Snapshot, r *request, x any, check func(*reply) error) error {
	rep, err := o.do(ctx, s, r)
	if err != nil {
		return err
	}
	if err = rep.decode(x); err == nil {
		err = check(&rep)
	}
	if err != nil {
		return o.errorOfBadSuccess(s, r, &rep.answer, err)
	}
	return nil
}

func (o *Object) send(ctx context.Context, s Snapshot, r *request) (reply, error) {
	sign, err := o.prepare(ctx, s, r)
	if err != nil {
		out := outcome{ended: ctx.Err() != nil, refused: ctx.Err() == nil, unsent: true, err: err}
		return reply{}, o.newError(s, r, out, nil)
	}
	sub, cancel := context.WithCancelCause(ctx)
	defer cancel(errDetached)
	x := newExchange(sub, cancel, o.client, s, r.body)
	header := target.HeadersFor(r.op, r.opts)
	used := o.date(header)

	x.watchdog.start()
	o.client.meter.start(&x.watchdog)
	res, err := sign.sdk.Conn.DoWithContext(withExchange(sub, x), r.method, o.target.Bucket, o.target.Object,
		r.params, header, x.data(), 0, nil)
	o.client.meter.stop(&x.watchdog)
	x.watchdog.stop()
	if res != nil {
		res.Body.Close()
	}

	rep, out := x.finish(ctx, sub, err)
	rep.by = &x.signed
	s = x.signed
	out.token = s.Temporary()
	switch {
	case out.err != nil:
		return rep, o.newError(s, r, out, nil)
	case rep.status/100 != 2, rep.failed():
		return rep, o.errorOfAnswer(s, r, out, &rep.answer, used)
	case r.body != nil && rep.read < r.body.Size && rep.status != statusCallbackFailed:
		return rep, o.errorOfBadSuccess(s, r, &rep.answer, fmt.Errorf("answered after %d of %d bytes", rep.read, r.body.Size))
	}
	return rep, nil
}

// newExchange returns the exchange of a request with body, which may be nil. ctx is
// the request's own context, and cancel ends it.
func newExchange(ctx context.Context, cancel context.CancelCauseFunc, c *Client, s Snapshot, body *Body) *exchange {
	c.made.Add(1)
	x := &exchange{signed: s}
	x.watchdog.timeout, x.watchdog.cancel, x.watchdog.patience = c.stall, cancel, Patience(ctx)
	if body != nil && body.Size > 0 {
		x.watchdog.body = newBodyReader(ctx, body, c.limiter)
	}
	return x
}

// finish cuts the body off, and returns what came and how it went. The outcome's err is
// set if no answer came, or its reading was ended: by the caller, whose context is ctx,
// or by the watchdog, through the request's own context.
func (x *exchange) finish(ctx, own context.Context, err error) (reply, outcome) {
	rep := reply{answer: x.answer}
	var source error
	rep.crc, rep.read, source = x.watchdog.body.detach()
	rep.source = x.watchdog.body.readFor()
	out := outcome{
		ended:    ctx.Err() != nil,
		source:   source != nil,
		unsent:   x.dialed.Load() && !x.got.Load(),
		reused:   x.reused.Load(),
		answered: x.watchdog.answered.Load() || x.interim.Load() > 0,
	}
	var stall *stallError
	switch whole := rep.status != 0 && rep.err == nil; {
	case whole:
	case rep.status == 0 && source != nil:
		out.err = source
	case out.ended:
		out.err = ended(ctx)
	case errors.As(context.Cause(own), &stall):
		out.err = stall
	case rep.status == 0:
		out.err = explained(unwrapURL(err), x.conn.Load())
	}
	return rep, out
}

// prepare returns what signs r, or why r is not sent.
func (o *Object) prepare(ctx context.Context, s Snapshot, r *request) (*signer, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	return o.signer(s)
}

// date adds the date by the server's clock to h, and returns how far that is ahead of
// the machine's. Signature V1 covers Date. V4 has its timestamp and the day of its
// scope from X-Oss-Date; the SDK would put the text of Date there instead, which is
// not the form that the documentation asks for.
func (o *Object) date(h map[string]string) time.Duration {
	now, offset := o.clock.now()
	h[headerDate] = now.Format(http.TimeFormat)
	if o.target.SigningRegion() != "" {
		h[headerOSSDate] = now.Format("20060102T150405Z")
	}
	if o.target.RequestPayer {
		h[headerRequestPayer] = "requester"
	}
	return offset
}

// ended returns the error of a context that has ended, with the cause if it has one.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// log writes the request's line. It has no header and no URL in it.
func (o *Object) log(ctx context.Context, s Snapshot, r *request, rep *reply, err error, start time.Time) {
	l := o.client.log
	if !l.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("op", r.op),
		slog.String("bucket", o.target.Bucket),
		slog.String("object", target.Line(o.target.Object)),
		slog.Int("part", r.part),
		slog.Int("status", rep.status),
		slog.String("request_id", oneLine(s.redact(rep.header.Get(headerRequestID)))),
		slog.Uint64("generation", s.Generation),
		slog.Duration("took", time.Since(start)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("err", err.Error()))
	}
	l.LogAttrs(ctx, slog.LevelDebug, "oss request", attrs...)
}
