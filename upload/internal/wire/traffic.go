package wire

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Traffic is what the connections of a client carry, all together.
type Traffic struct {
	// Acked is how many bytes the other sides have acknowledged since the measuring began.
	// Where the system does not say, it is how many the connections took.
	Acked uint64

	// Losses is how many packets were sent again since then, on connections
	// that slow down for that: with BBR, for example, they do not.
	Losses uint64

	// RoundTrip is the least round trip that was seen, and Delay how much longer it takes
	// now: what waits on the way. Both are means over the connections that carry
	// a request now, and 0 where the system does not say.
	RoundTrip, Delay time.Duration

	// Idle is how many of the connections that carry a request now, as a share of them,
	// have sent all of it: they wait for the acknowledgement of the end and for the answer.
	// 0 where the system does not say.
	Idle float64

	// Yields is whether one of them slows down for losses.
	Yields bool
}

// A meter adds up what the requests of a client do, once somebody wants to know.
type meter struct {
	on atomic.Bool

	mu    sync.Mutex
	live  map[*watchdog]*counted
	least map[string]time.Duration // round trips, by the other side's host
	total Traffic
}

// counted is what the total has of a request.
type counted struct {
	acked   uint64
	losses  uint64
	began   bool // the fields below are known
	yields  bool // to losses
	host    string
	already uint64 // retransmits before the request
}

func (m *meter) start(w *watchdog) {
	if !m.on.Load() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live[w] = new(counted)
}

func (m *meter) stop(w *watchdog) {
	if !m.on.Load() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.live[w]
	if !ok {
		return
	}
	delete(m.live, w)
	m.count(w, c)
	if len(m.live) == 0 {
		clear(m.least) // the way may be another one after a rest
	}
}

// traffic returns what was carried up to now.
func (m *meter) traffic() Traffic {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.on.Load() {
		m.live, m.least = make(map[*watchdog]*counted), make(map[string]time.Duration)
		m.on.Store(true)
	}
	var trips, delays, paths time.Duration
	idle, yields := 0, false
	for w, c := range m.live {
		p := m.count(w, c)
		if p.rtt == 0 || p.minRTT == 0 {
			continue
		}
		least, ok := m.least[c.host]
		if !ok || p.minRTT < least {
			least = p.minRTT
			m.least[c.host] = least
		}
		trips, delays, paths = trips+least, delays+max(0, p.rtt-least), paths+1
		yields = yields || c.yields
		if p.idle {
			idle++
		}
	}
	t := m.total
	if paths > 0 {
		t.RoundTrip, t.Delay = trips/paths, delays/paths
		t.Idle, t.Yields = float64(idle)/float64(paths), yields
	}
	return t
}

// count adds to the total what a request did since it was last looked at.
func (m *meter) count(w *watchdog, c *counted) path {
	w.mu.Lock()
	defer w.mu.Unlock()
	acked, p := w.carried()
	m.total.Acked += max(acked, c.acked) - c.acked
	c.acked = max(acked, c.acked)
	if p == (path{}) {
		return p
	}
	if !c.began {
		c.began, c.already = true, p.retransmits
		c.yields = !strings.HasPrefix(w.socket.congestion(), "bbr")
		c.host = hostOf(w.socket.remote)
	}
	if losses := p.retransmits - c.already; c.yields && losses > c.losses {
		m.total.Losses += losses - c.losses
		c.losses = losses
	}
	return p
}

// carried returns how many bytes of the body are at the other side, and what is known of
// the way there. The caller holds mu.
func (w *watchdog) carried() (uint64, path) {
	if w.body == nil {
		return 0, path{}
	}
	if !w.kernel || w.answered.Load() {
		return uint64(w.body.pos.Load()), path{}
	}
	acked, _, ok := w.socket.sample()
	if !ok { // the connection is closed: what it did not report is lost
		return 0, path{}
	}
	acked -= w.socket.base
	p := w.socket.path()
	p.idle = w.body.pos.Load() == w.body.Size && p.idle
	return acked, p
}

// hostOf is an address without its port.
func hostOf(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.IP.String()
	}
	return a.String()
}
