package wire

import (
	"sync/atomic"
	"time"
)

// A clock tells the time by which a host judges the age of requests.
type clock struct{ offset atomic.Int64 }

// now returns the server's time and how far it is ahead of the machine's.
func (c *clock) now() (time.Time, time.Duration) {
	offset := time.Duration(c.offset.Load())
	return time.Now().Add(offset).UTC(), offset
}

// minCorrection is the least difference that is worth another request: OSS allows 15
// minutes (OSS documentation, RequestTimeTooSkewed), and headers tell whole seconds.
const minCorrection = time.Minute

// learn sets the clock by an answer that was served at the given time and came when
// the machine's clock said came. It reports whether that differs from used, by which
// the request was dated. If it does not, another request would fare no better.
func (c *clock) learn(served, came time.Time, used time.Duration) bool {
	if served.IsZero() {
		return false
	}
	offset := served.Sub(came)
	if d := offset - used; d < minCorrection && d > -minCorrection {
		return false
	}
	c.offset.Store(int64(offset))
	return true
}
