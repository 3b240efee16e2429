package osstest

import (
	"slices"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/broken"
)

// lingering is how long an orderly end of a connection waits for the client to
// close its side.
const lingering = 2 * time.Second

// watch hijacks the connection, and makes the call's waits end with its client's.
// The caller must call Stop.
func (x *exchange) watch() *broken.Conn {
	conn := broken.Watch(x.req.Context(), x.hijack())
	x.gone = conn.Gone()
	return conn
}

// disconnect ends the connection so that the client sees its orderly end.
func (x *exchange) disconnect() {
	conn := x.watch()
	defer conn.Stop()
	x.s.requests.leave(x.log)
	x.closeConn(conn)
}

// closeConn closes our side of a connection, and waits a while for the client.
func (x *exchange) closeConn(conn *broken.Conn) {
	if conn.CloseWrite() {
		x.pause(lingering)
	}
}

// sentByHand reports whether a fault takes effect while the answer is being sent.
func (x *exchange) sentByHand() bool {
	return slices.ContainsFunc(x.chosen, func(p *chosen) bool { return p.spec.moment == inAnswer })
}

// sendByHand writes an answer to the connection byte for byte, for faults that
// net/http would not allow.
func (x *exchange) sendByHand(status int, body []byte) {
	h := x.answer.Header()
	mayHaveBody := broken.MayHaveBody(x.req.Method, status)
	if len(body) == 0 && mayHaveBody && slices.ContainsFunc(x.chosen, (*chosen).cutsHalfway) {
		h.Set("Content-Length", "1")
	}
	x.answer.Start(status)
	x.logCode(body)
	if _, ok := h["Date"]; !ok {
		h.Set("Date", httpTime(x.s.now()))
	}
	head := broken.Head(status, h)
	conn := x.watch()
	defer conn.Stop()
	stops := x.stops(conn, len(head), len(body), mayHaveBody)
	leave := func() { x.s.requests.leave(x.log) }
	link := broken.Link{Rate: x.answerRate(), Pause: x.pause}
	if link.Send(conn, append(head, body...), stops, leave) {
		x.closeConn(conn)
	}
}

func (p *chosen) cutsHalfway() bool {
	return p.spec.moment == inAnswer && p.spec.effect.breaks() && p.spec.after == halfway
}

// stops returns the points of an answer where faults take effect.
func (x *exchange) stops(conn *broken.Conn, head, body int, mayHaveBody bool) []broken.Stop {
	var stops []broken.Stop
	for _, p := range x.chosen {
		if p.spec.moment != inAnswer || p.spec.effect == effectSlowAnswer {
			continue
		}
		stops = append(stops, broken.Stop{
			At: broken.StopAt(p.spec.after, head, body, mayHaveBody),
			Do: func() bool { return x.stop(p, conn) },
		})
	}
	return stops
}

// stop holds or breaks off an answer. It returns false if the answer ends there.
func (x *exchange) stop(p *chosen, conn *broken.Conn) bool {
	if !p.spec.effect.breaks() {
		return x.hold(p)
	}
	x.apply(p)
	x.s.requests.leave(x.log)
	if p.spec.effect == effectReset {
		broken.Reset(conn)
	} else {
		x.closeConn(conn)
	}
	return false
}

// answerRate returns the rate of the slowest fault in bytes per second, or 0.
func (x *exchange) answerRate() int {
	rate := 0
	for _, p := range x.chosen {
		if p.spec.effect == effectSlowAnswer && (rate == 0 || p.spec.rate < rate) {
			x.apply(p)
			rate = p.spec.rate
		}
	}
	return rate
}
