package osstest

import (
	"net"
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

// apply records that a fault takes effect.
func (x *exchange) apply(p *chosen) {
	if p.applied {
		return
	}
	p.applied = true
	x.s.requests.setFault(x.log, p.Fault, p.spec.effect.additive())
	p.Fault.fire()
}

func (x *exchange) close() {
	x.s.requests.leave(x.log)
	if x.chosen != nil {
		x.s.faults.giveBack(x.chosen)
	}
}

// hijack takes the connection from net/http. From then on the call is over for
// the operation.
func (x *exchange) hijack() net.Conn {
	x.over = true
	conn, _, err := http.NewResponseController(x.answer.W).Hijack()
	if err != nil {
		x.applyInAnswer()
		panic(http.ErrAbortHandler)
	}
	return conn
}

// applyInAnswer records the faults whose moment would have been in the answer, if
// there were a connection to send it on.
func (x *exchange) applyInAnswer() {
	for _, p := range x.chosen {
		if p.spec.moment == inAnswer && x.answer.Status() != 0 {
			x.apply(p)
		}
	}
}

// reset ends the connection so that the client gets a TCP reset.
func (x *exchange) reset() {
	if x.over {
		return
	}
	conn := x.hijack()
	x.s.requests.leave(x.log)
	broken.Reset(conn)
}
