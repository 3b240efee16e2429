package osstest

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// An exchange is one call on its way through the server, with the faults that
// it meets and its entry in the log. It stands between the operations and the
// connection: they read through its body and write through its answer.
type exchange struct {
	s      *Server
	req    *request
	answer answer
	body   *faultyBody // nil in a call without a body
	chosen []*chosen
	log    *logEntry
	header http.Header   // of the answer, as it was at first; set where chosen is
	skew   time.Duration // of the server's clock
	gone   chan struct{} // closed when the client of a broken connection is gone; may be nil
	over   bool          // the connection is broken; nobody is there to be answered
}

// errOver is the error of reading or writing in a call that is over.
var errOver = errors.New("osstest: the connection was broken by a fault")

// intercept opens the entry in the log, and picks the call's faults.
func (s *Server) intercept(w http.ResponseWriter, r *http.Request, req *request) (http.ResponseWriter, *http.Request, *exchange) {
	x := &exchange{s: s, req: req}
	x.answer = answer{x: x, w: w, left: -1}
	req.Request = r
	x.log = s.requests.open(req)
	x.chosen = s.faults.choose(x.log)
	if hasBody(r) {
		x.body = &faultyBody{x: x, r: r.Body}
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
			x.answer.w.Header().Set("Date", httpTime(x.req.start))
		case p.spec.effect == effectSlowBody && x.body != nil:
			x.body.slow = append(x.body.slow, p)
		case p.spec.effect.holds() && x.body != nil && (p.spec.moment == inBody || p.spec.moment == beforeWork):
			x.body.holds = append(x.body.holds, p)
		}
		if p.spec.moment >= afterWork {
			x.answer.kept = true
		}
	}
}

// apply records that a fault takes effect.
func (x *exchange) apply(p *chosen) {
	if p.struck {
		return
	}
	p.struck = true
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

// holdsAtOnce says whether a fault holds a call before its body is read. A call
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
	if x.over || !x.answer.kept {
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
