package osstest

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/broken"
)

// An exchange is one call on its way through the server, with the faults that
// apply to it and its entry in the log. It stands between the operations and the
// connection: they read through its body and write through its answer.
type exchange struct {
	s      *Server
	req    *request
	answer broken.Answer
	body   *broken.Body // nil in a call without a body
	chosen []*chosen
	log    *logEntry
	header http.Header     // of the answer, as it was at first; set where chosen is
	skew   time.Duration   // of the server's clock
	gone   <-chan struct{} // closed when the client of a broken connection is gone; may be nil
	over   bool            // the connection is broken: there is no client to answer
}

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

func (x *exchange) isOver() bool { return x.over }

// logAnswer records how a call is answered, before the client can know.
func (x *exchange) logAnswer(status int) {
	h := x.answer.Header()
	if x.skew != 0 {
		took := x.s.now().Sub(x.req.start.Add(-x.skew))
		h.Set("X-Oss-Server-Time", strconv.FormatInt(took.Milliseconds(), 10))
	}
	x.s.requests.answer(x.log, status, codeInHeader(h))
}

// logBody records what a piece of the answer's body says. A call counts as
// answered before its last byte is sent: a client that has the answer may send its
// next request at once, and must not be found to have one too many in flight.
func (x *exchange) logBody(body []byte, end bool) {
	x.logCode(body)
	if end {
		x.s.requests.leave(x.log)
	}
}

func (x *exchange) logCode(body []byte) {
	if code := codeInBody(x.answer.Status(), body); code != "" {
		x.s.requests.answer(x.log, x.answer.Status(), code)
	}
}

func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
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

// apply records that a fault takes effect.
func (x *exchange) apply(p *chosen) {
	if p.applied {
		return
	}
	p.applied = true
	x.s.requests.setFault(x.log, p.Fault, p.spec.effect.additive())
	p.Fault.fire()
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

func (x *exchange) close() {
	x.s.requests.leave(x.log)
	if x.chosen != nil {
		x.s.faults.giveBack(x.chosen)
	}
}
