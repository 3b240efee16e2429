package osstest

import (
	"bytes"
	"cmp"
	"fmt"
	"net"
	"net/http"
	"slices"
)

// sentByHand says whether there is a fault that strikes while the answer is
// being sent.
func (x *exchange) sentByHand() bool {
	return slices.ContainsFunc(x.chosen, func(p *chosen) bool { return p.spec.moment == inAnswer })
}

// sendByHand writes an answer to the connection byte for byte, for faults that
// net/http would not let happen.
func (x *exchange) sendByHand(status int, body []byte) {
	a := &x.answer
	a.status = status
	if len(body) == 0 && x.mayHaveBody(status) && slices.ContainsFunc(x.chosen, (*chosen).cutsHalfway) {
		a.Header().Set("Content-Length", "1")
	}
	a.begin()
	if code := codeInBody(status, body); code != "" {
		x.s.requests.answer(x.log, status, code)
	}
	head := x.rawHead()
	stops := x.stops(len(head), len(body))
	conn := x.hijack()
	stop := x.watch(conn)
	defer stop()
	x.sendRaw(conn, append(head, body...), stops)
}

// rawHead returns the head of the answer as it goes over the wire.
func (x *exchange) rawHead() []byte {
	h := x.answer.Header().Clone()
	h.Set("Connection", "close")
	if _, ok := h["Date"]; !ok {
		h.Set("Date", httpTime(x.s.now()))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", x.answer.status, http.StatusText(x.answer.status))
	h.Write(&b)
	b.WriteString("\r\n")
	return b.Bytes()
}

// A stop is a point in an answer where a fault strikes.
type stop struct {
	*chosen
	at int
}

func (p *chosen) cutsHalfway() bool {
	return p.spec.moment == inAnswer && p.spec.effect.breaks() && p.spec.after == halfway
}

// stops returns the places where faults strike, in their order.
func (x *exchange) stops(head, body int) []stop {
	var stops []stop
	for _, p := range x.chosen {
		if p.spec.moment != inAnswer || p.spec.effect == effectSlowAnswer {
			continue
		}
		at := int(min(max(p.spec.after, 0), int64(head+body-1)))
		switch {
		case p.spec.after != halfway:
		case body == 0 && !x.mayHaveBody(x.answer.status):
			at = head - len("\r\n")
		default:
			at = head + body/2
		}
		stops = append(stops, stop{p, at})
	}
	slices.SortStableFunc(stops, func(a, b stop) int { return cmp.Compare(a.at, b.at) })
	return stops
}

// sendRaw sends an answer with its stops.
func (x *exchange) sendRaw(conn net.Conn, raw []byte, stops []stop) {
	sent := 0
	for _, s := range stops {
		if !x.write(conn, raw[sent:s.at]) {
			return
		}
		sent = s.at
		if s.spec.effect.breaks() {
			x.apply(s.chosen)
			x.s.requests.leave(x.log)
			if s.spec.effect == effectReset {
				resetConn(conn)
			} else {
				x.closeConn(conn)
			}
			return
		}
		if !x.hold(s.chosen) {
			return
		}
	}
	last := len(raw) - 1
	if !x.write(conn, raw[sent:last]) {
		return
	}
	x.s.requests.leave(x.log)
	conn.Write(raw[last:])
	x.closeConn(conn)
}

// write sends p at the rate of the slowest fault. It returns false if the call
// ended meanwhile.
func (x *exchange) write(conn net.Conn, p []byte) bool {
	rate := 0
	for _, f := range x.chosen {
		if f.spec.effect == effectSlowAnswer && (rate == 0 || f.spec.rate < rate) {
			x.apply(f)
			rate = f.spec.rate
		}
	}
	if rate == 0 {
		_, err := conn.Write(p)
		return err == nil
	}
	for len(p) > 0 {
		n := min(burst(rate), len(p))
		if _, err := conn.Write(p[:n]); err != nil || !x.pause(lasting(n, rate)) {
			return false
		}
		p = p[n:]
	}
	return true
}
