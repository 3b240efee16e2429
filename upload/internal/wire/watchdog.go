package wire

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// windowTicks is how often in a StallTimeout the watchdog looks.
	windowTicks = 8

	// floorRate is the least bandwidth that counts as progress, in bytes per second.
	floorRate = 1 << 10

	// graceRate and maxGrace bound how long the answer may take because a part of the
	// body is still in the kernel's queue, where the kernel does not say.
	graceRate = 16 << 10
	maxGrace  = 256 * time.Second
)

// A phase is how far a request has come. Each is watched by what moves in it.
type phase int

const (
	connecting phase = iota // nothing
	sending                 // bytes of the body
	awaiting                // nothing
	receiving               // bytes of the answer
	reading                 // of the source: it is the source that held up the request
)

// A watchdog ends a request that makes no progress. One timer looks every eighth of
// the timeout; most requests end before it first fires, and no read or write costs
// more than an atomic addition for it.
type watchdog struct {
	timeout  time.Duration
	patience int // timeouts that the answer may take to begin; 0 is 1
	cancel   context.CancelCauseFunc
	body     *bodyReader // nil: none

	received atomic.Int64 // bytes of the answer's body
	answered atomic.Bool  // the first byte of the answer has come

	mu        sync.Mutex
	timer     *time.Timer
	stopped   bool
	connected bool
	kernel    bool // socket reports what was acknowledged
	socket    socket
	phase     phase
	ticks     int                        // since the phase began, or the limiter held the body back
	counts    [windowTicks]int64         // at the last ticks
	read      [windowTicks]time.Duration // in the source, at the last ticks
}

// start begins to watch.
func (w *watchdog) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ticks = 1 // counts[0] is the 0 of now
	w.timer = time.AfterFunc(w.timeout/windowTicks, w.tick)
}

// stop ends the watching. After it, the request is not ended any more.
func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
}

// connect records on which connection the request goes. A transport that makes a request
// again by itself, as net/http does where the first connection was stale, has thrown
// the answer on the one before away.
func (w *watchdog) connect(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.connected = true
	w.answered.Store(false)
	w.kernel = w.socket.open(c)
}

// tick looks at the request, and ends it if a whole window brought too little.
func (w *watchdog) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	now, count := w.observe()
	if now != w.phase || (now == sending && w.body.paused()) {
		w.phase, w.ticks = now, 0
	}
	moved := count - w.counts[w.ticks%windowTicks]
	inSource := w.body.readFor()
	if w.ticks >= windowTicks+w.grace() && moved < w.floor() {
		w.stopped = true
		w.cancel(w.stallError(moved, count, inSource-w.read[w.ticks%windowTicks]))
		return
	}
	w.counts[w.ticks%windowTicks], w.read[w.ticks%windowTicks] = count, inSource
	w.ticks++
	w.timer.Reset(w.timeout / windowTicks)
}

// observe returns the phase and its count. The caller holds mu.
func (w *watchdog) observe() (phase, int64) {
	switch {
	case w.answered.Load():
		return receiving, w.received.Load()
	case !w.connected && (w.body == nil || w.body.pos.Load() == 0):
		return connecting, 0 // or a transport that does not say when it has connected
	case w.body == nil:
		return awaiting, 0
	}
	read := w.body.pos.Load()
	acked, queued := read, 0
	if w.kernel {
		total, q, ok := w.socket.sample()
		if ok {
			acked, queued = int64(total-w.socket.base), q
		}
	}
	if read == w.body.Size && queued == 0 {
		return awaiting, acked
	}
	return sending, acked
}

// floor is the least that a window must bring.
func (w *watchdog) floor() int64 {
	return max(1, int64(floorRate*w.timeout.Seconds()))
}

// grace returns how many ticks longer the phase may last.
func (w *watchdog) grace() int {
	if w.phase != awaiting {
		return 0
	}
	ticks := (max(w.patience, 1) - 1) * windowTicks
	if !w.kernel && w.body != nil {
		grace := min(time.Duration(w.body.Size)*time.Second/graceRate, maxGrace)
		ticks += int(grace / (w.timeout / windowTicks))
	}
	return ticks
}

// stallError says what held up the request. inSource is how much of the window was spent
// reading the source: where that is most of it, the network is not to blame.
func (w *watchdog) stallError(moved, count int64, inSource time.Duration) error {
	e := &stallError{phase: w.phase, after: w.timeout, moved: moved, floor: w.floor(), verb: "handed over"}
	if w.phase <= sending && inSource > w.timeout/2 {
		e.phase, e.off, e.inSource = reading, w.body.Off+w.body.pos.Load(), min(inSource, w.timeout)
		return e
	}
	if w.phase == awaiting {
		e.after *= time.Duration(max(w.patience, 1))
	}
	if w.kernel {
		e.verb = "acknowledged"
	}
	if w.body != nil {
		e.size = w.body.Size
		// The connection also acknowledges what frames the body.
		e.done = min(count, w.body.pos.Load())
	}
	return e
}

// A stallError is the cause of a request that the watchdog ended.
type stallError struct {
	phase phase
	after time.Duration
	moved int64 // in the last window
	floor int64 // what would have been enough
	done  int64 // of the body
	size  int64 // of the body
	verb  string

	off      int64 // in the source, where it was read
	inSource time.Duration
}

func (e *stallError) Error() string {
	body := ""
	if e.size > 0 && e.phase != receiving {
		body = fmt.Sprintf(" (%d of %d bytes %s)", e.done, e.size, e.verb)
	}
	switch {
	case e.phase == reading:
		return fmt.Sprintf("the source is too slow: reading it at byte %d took %v of %v", e.off, e.inSource.Round(time.Millisecond), e.after)
	case e.phase == connecting:
		return fmt.Sprintf("no connection for %v", e.after)
	case e.phase == awaiting:
		return fmt.Sprintf("no answer for %v%s", e.after, body)
	case e.phase == receiving:
		return fmt.Sprintf("the answer stopped for %v", e.after)
	case e.moved == 0:
		return fmt.Sprintf("no progress for %v%s", e.after, body)
	default:
		return fmt.Sprintf("too slow: %d bytes in %v, want %d at least%s", e.moved, e.after, e.floor, body)
	}
}

// Timeout reports true: it marks the error for package net's and our own checks.
func (e *stallError) Timeout() bool { return true }
