package osstest

import (
	"io"
	"net/http"

	"github.com/vodupload/vodupload/upload/osstest/internal/broken"
)

// intercept opens the entry in the log, and chooses the call's faults.
func (s *Server) intercept(w http.ResponseWriter, r *http.Request, req *request) (http.ResponseWriter, *http.Request, *exchange) {
	x := &exchange{s: s, req: req}
	x.answer = broken.Answer{W: w, Over: x.isOver, Begin: x.logAnswer, Sending: x.logBody}
	req.Request = r
	x.log = s.requests.open(req)
	x.chosen = s.faults.choose(x.log)
	if hasBody(r) {
		x.body = &broken.Body{
			Source: r.Body, Size: r.ContentLength,
			Over: x.isOver, Pause: x.pause, Count: func(n int) { x.log.body.Add(int64(n)) },
		}
		r = r.WithContext(r.Context()) // a copy: a handler must not change its request
		r.Body = x.body
		req.Request = r
	}
	if x.chosen != nil {
		x.header = w.Header().Clone()
		x.prepare()
	}
	return &x.answer, r, x
}

// prepare sets up what the faults change from the beginning.
func (x *exchange) prepare() {
	for _, p := range x.chosen {
		switch {
		case p.spec.effect == effectClockSkew:
			x.apply(p)
			x.skew += p.spec.delay
			x.req.start = x.req.start.Add(p.spec.delay)
			x.answer.Header().Set("Date", httpTime(x.req.start))
		case p.spec.effect == effectSlowBody && x.body != nil:
			x.body.SlowDown(p.spec.rate, func() { x.apply(p) })
		case p.spec.effect.holds() && x.body != nil && p.spec.moment == inBody:
			x.body.HoldAt(p.spec.after, func() bool { return x.hold(p) })
		case p.spec.effect.holds() && x.body != nil && p.spec.moment == beforeWork:
			x.body.HoldAt(broken.AtEnd, func() bool { return x.hold(p) })
		}
		if p.spec.moment >= afterWork {
			x.answer.Kept = true
		}
	}
}

// applyBefore applies the faults that come before the work. It returns true if
// the call is done with them.
func (x *exchange) applyBefore() bool {
	for _, p := range x.chosen {
		switch {
		case p.spec.effect == effectLoseUpload:
			x.apply(p)
			x.s.AbortUpload(x.req.bucket, x.req.key, x.req.uploadID)
		case p.spec.effect.holds() && x.holdsAtOnce(p):
			if !x.hold(p) {
				return true
			}
		}
	}
	for _, p := range x.chosen {
		if p.spec.effect.ends() && p.spec.moment <= beforeWork {
			if x.drain(p) {
				x.conclude(p)
			}
			return true
		}
	}
	return false
}

// holdsAtOnce reports whether a fault holds a call before its body is read. A call
// without a body comes to the end of it at once.
func (x *exchange) holdsAtOnce(p *chosen) bool {
	return p.spec.moment == beforeBody || x.body == nil && p.spec.moment <= beforeWork
}

// drain reads as much of the body as a fault wants to have read. It returns
// false if the call ended meanwhile.
func (x *exchange) drain(p *chosen) bool {
	if x.body == nil || p.spec.moment == beforeBody {
		return true
	}
	var body io.Reader = x.body
	if p.spec.moment == inBody {
		body = io.LimitReader(body, p.spec.after)
	}
	io.Copy(io.Discard, body)
	return !x.over
}

// finish sends what is kept of the answer, with the faults that belong there, and
// closes the entry in the log. It is called when the operation has returned.
func (x *exchange) finish() {
	defer x.close()
	if x.over || !x.answer.Kept {
		return
	}
	for _, p := range x.chosen {
		if p.spec.effect.holds() && p.spec.moment == afterWork && !x.hold(p) {
			return
		}
	}
	for _, p := range x.chosen {
		if p.spec.effect.ends() && p.spec.moment == afterWork {
			x.conclude(p)
		}
	}
	if !x.over {
		x.alterAnswer()
		x.send()
	}
}

func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
}
