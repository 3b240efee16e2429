package transfer

import (
	"sync"
	"time"
)

// progressInterval is how far apart the Progress events for bytes in flight are.
// Each acknowledged part has one of its own.
const progressInterval = 100 * time.Millisecond

// A tally counts the bytes of one upload.
type tally struct {
	mu       sync.Mutex
	acked    int64     // that the server has
	inFlight int64     // handed to connections, not yet acknowledged
	sent     int64     // handed to connections, retries included
	notified time.Time // when the last Progress for bytes in flight was due
}

// counts returns the figures of an event.
func (t *tally) counts() (acked, inFlight, sent int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.acked, t.inFlight, t.sent
}

func (t *tally) acknowledged() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.acked
}

// restart sets what the server has.
func (t *tally) restart(acked int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.acked = acked
}

// handed counts n bytes given to a connection. It reports whether an event is due.
func (t *tally) handed(n int64) bool {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight += n
	t.sent += n
	if now.Sub(t.notified) < progressInterval {
		return false
	}
	t.notified = now
	return true
}

// finish takes n bytes out of what is in flight, and counts those of them that the
// server has acknowledged.
func (t *tally) finish(n, acked int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight -= n
	t.acked += acked
}

// A meter counts the bytes of one attempt as they are handed to the connection.
type meter struct {
	c *caller
	n int64 // written by one goroutine at a time, and read after the attempt
}

func (m *meter) add(n int64) {
	m.n += n
	m.c.sent.Add(n)
	if m.c.tally.handed(n) {
		m.c.emit(Event{Kind: Progress})
	}
}
