package osstest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/sign"
)

// keepByDefault is how many calls the log keeps.
const keepByDefault = 100_000

// A requestLog is the log of a server. Its zero value is an empty one.
type requestLog struct {
	keep      int // calls; 0 is keepByDefault, negative is none
	keepBytes int // 0 is maxLoggedBytes

	mu      sync.Mutex
	entries []*logEntry // oldest first
	bytes   int         // of the entries
	seq     int
	tick    int64 // counts what happens, in place of a clock
	seen    map[Op]int
	running map[Op]int
	now     int           // all that are running
	peak    int           // the most of now
	changed chan struct{} // closed at the next change; nil while no call waits
}

// A logEntry is a call in the log. The log's mutex guards it, but for what never
// changes once the entry is open, and for body.
type logEntry struct {
	call     Request // Header and Query as they came; BodyBytes and Duration not set
	body     atomic.Int64
	begun    time.Time // monotonic
	took     time.Duration
	from     int64 // tick
	until    int64 // tick; 0 while in flight
	additive bool  // call.Fault only came on top
	bytes    int   // about what the entry takes in memory
}

// open begins the entry of a call.
func (l *requestLog) open(req *request) *logEntry {
	e := &logEntry{begun: time.Now(), call: Request{
		Op: req.op, Method: clip(req.Method), Bucket: clip(req.bucket), Key: clip(req.key),
		UploadID: clip(req.uploadID), PartNumber: req.partNumber, AccessKeyID: clip(sign.AccessKeyID(req.Request)),
		Header: clipHeader(req.Header), Query: clipValues(req.query),
		RequestID: req.id, Start: req.start, RemoteAddr: req.RemoteAddr,
	}}
	e.bytes = callSize(&e.call)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen, l.running = map[Op]int{}, map[Op]int{}
	}
	l.seq++
	l.tick++
	e.call.Seq, e.from = l.seq, l.tick
	l.addLocked(e)
	l.seen[req.op]++
	l.running[req.op]++
	l.now++
	l.peak = max(l.peak, l.now)
	l.changeLocked()
	return e
}

// addLocked adds an entry, and drops the oldest that are too many. The caller
// holds l.mu.
func (l *requestLog) addLocked(e *logEntry) {
	keep := cmp.Or(l.keep, keepByDefault)
	if keep < 0 {
		return
	}
	l.entries = append(l.entries, e)
	l.bytes += e.bytes
	for len(l.entries) > keep || l.bytes > cmp.Or(l.keepBytes, maxLoggedBytes) {
		l.bytes -= l.entries[0].bytes
		l.entries[0] = nil // the array stays until append makes the next one
		l.entries = l.entries[1:]
	}
}

// setFault records the fault of a call. An additive one gives way to others.
func (l *requestLog) setFault(e *logEntry, f *Fault, additive bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.call.Fault == nil || e.additive && !additive {
		e.call.Fault, e.additive = f, additive
	}
}

// answer records how a call is answered.
func (l *requestLog) answer(e *logEntry, status int, code string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.call.Status = status
	if code != "" {
		e.call.Code = code
	}
}

// leave records that a call is no longer in flight. Only the first time counts.
func (l *requestLog) leave(e *logEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.until != 0 {
		return
	}
	l.tick++
	e.until = l.tick
	e.took = time.Since(e.begun)
	l.running[e.call.Op]--
	l.now--
	l.changeLocked()
}

// changeLocked wakes the calls that wait for the log. The caller holds l.mu.
func (l *requestLog) changeLocked() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// changes returns a channel that is closed at the next change.
func (l *requestLog) changes() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return l.changed
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.bytes = nil, 0
	clear(l.seen)
	l.peak = l.now
}

// kept returns the entries of operations, oldest first. What may still change
// in them is a copy.
func (l *requestLog) kept(ops []Op) []*logEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept []*logEntry
	for _, e := range l.entries {
		if len(ops) == 0 || slices.Contains(ops, e.call.Op) {
			kept = append(kept, e.snapshot())
		}
	}
	return kept
}

func (e *logEntry) snapshot() *logEntry {
	c := &logEntry{call: e.call, from: e.from, until: e.until}
	c.call.BodyBytes = e.body.Load()
	c.call.Duration = e.took
	if e.until == 0 {
		c.call.Duration = time.Since(e.begun)
	}
	return c
}

func (l *requestLog) count(ops []Op) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return total(l.seen, ops)
}

func (l *requestLog) inFlight(ops []Op) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return total(l.running, ops)
}

// total adds up what counts has for ops, or for all operations.
func total(counts map[Op]int, ops []Op) int {
	if len(ops) == 0 {
		ops = slices.Collect(maps.Keys(counts))
	}
	sum := 0
	for _, op := range ops {
		sum += counts[op]
	}
	return sum
}

// maxInFlight finds the peak among the calls that the log has.
func (l *requestLog) maxInFlight(ops []Op) int {
	if len(ops) == 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.peak
	}
	var ticks []int64 // of beginnings; negative of ends
	for _, e := range l.kept(ops) {
		ticks = append(ticks, e.from)
		if e.until != 0 {
			ticks = append(ticks, -e.until)
		}
	}
	slices.SortFunc(ticks, func(a, b int64) int { return int(max(a, -a) - max(b, -b)) })
	now, peak := 0, 0
	for _, t := range ticks {
		if t > 0 {
			now++
		} else {
			now--
		}
		peak = max(peak, now)
	}
	return peak
}
