package broken

import (
	"io"
	"math"
	"time"
)

// A Body is the body of a request as an operation reads it: counted, slowed down,
// and held at some points. Only the call's own goroutine reads it.
type Body struct {
	Source io.ReadCloser
	Size   int64                    // as announced; negative: not known
	Over   func() bool              // whether the connection is broken
	Count  func(n int)              // called after each read
	Pause  func(time.Duration) bool // returns false if the call ended meanwhile

	read  int64
	holds []*hold
	slow  []slowdown
}

type hold struct {
	after int64
	wait  func() bool
	done  bool
}

type slowdown struct {
	rate  int // bytes per second
	begin func()
}

// AtEnd, as a number of bytes, is the end of a body.
const AtEnd = math.MaxInt64

// HoldAt calls wait once, when a number of bytes was read or the body is shorter.
// Reading fails if wait returns false.
func (b *Body) HoldAt(after int64, wait func() bool) {
	b.holds = append(b.holds, &hold{after: after, wait: wait})
}

// SlowDown limits the rate of reading. It calls begin whenever it slows a read.
func (b *Body) SlowDown(bytesPerSecond int, begin func()) {
	b.slow = append(b.slow, slowdown{bytesPerSecond, begin})
}

// Close closes the source.
func (b *Body) Close() error { return b.Source.Close() }

// Read reads from the source. It returns [Err] if the call is over.
func (b *Body) Read(p []byte) (int, error) {
	if b.Over() || !b.hold(false) {
		return 0, Err
	}
	n, err := b.Source.Read(p[:b.limit(len(p))])
	b.read += int64(n)
	b.Count(n)
	if !b.pace(n) || !b.hold(err == io.EOF || b.read == b.Size) {
		return n, Err
	}
	return n, err
}

// limit returns how many bytes may be read at once: no more than up to the next
// hold, and no more than a slow link lets through in a moment.
func (b *Body) limit(n int) int {
	for _, s := range b.slow {
		n = min(n, burst(s.rate))
	}
	for _, h := range b.holds {
		if left := h.after - b.read; !h.done && left > 0 {
			n = int(min(int64(n), left))
		}
	}
	return n
}

// pace waits for as long as n bytes take on a slow link.
func (b *Body) pace(n int) bool {
	for _, s := range b.slow {
		s.begin()
		if !b.Pause(duration(n, s.rate)) {
			return false
		}
	}
	return true
}

// hold waits at the points that are reached; all are at the end of the body. It
// returns false if the call ended meanwhile.
func (b *Body) hold(whole bool) bool {
	for _, h := range b.holds {
		if h.done || !whole && b.read < h.after {
			continue
		}
		h.done = true
		if !h.wait() {
			return false
		}
	}
	return true
}
