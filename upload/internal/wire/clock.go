package wire

import (
	"fmt"
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
// minutes (OSS documentation, RequestTimeTooSkewed), and headers have whole seconds.
const minCorrection = time.Minute

// maxCorrection is the greatest: a machine's clock is off by hours where its time zone
// is wrong. Beyond a day, one of the two has lost its time, and nothing says which; a
// request that is signed for another year could be used by others until then.
const maxCorrection = 24*time.Hour + minCorrection

// learn sets the clock by an answer that was received when the machine's clock said
// receivedAt. times are what the answer says of the server's clock, the most trusted
// first; the first plausible one counts. It reports whether that differs from used, by which the request was
// dated. If it does not, another request would fare no better. The error says what
// cannot be believed.
func (c *clock) learn(times []time.Time, receivedAt time.Time, used time.Duration) (bool, error) {
	for _, serverTime := range times {
		offset := serverTime.Sub(receivedAt)
		if offset.Abs() > maxCorrection {
			continue
		}
		if (offset - used).Abs() < minCorrection {
			return false, nil
		}
		c.offset.Store(int64(offset))
		return true, nil
	}
	if len(times) == 0 {
		return false, nil
	}
	return false, fmt.Errorf("the server's clock says %s and this machine's %s: more than a day apart, which is not corrected",
		times[0].UTC().Format(time.RFC3339), receivedAt.UTC().Format(time.RFC3339))
}

// plausible returns t, or the zero time if it is more than a day from the server's
// time as it is known: another machine's, before the server, may have written it.
func (c *clock) plausible(t time.Time) time.Time {
	if now, _ := c.now(); t.Sub(now).Abs() > maxCorrection {
		return time.Time{}
	}
	return t
}
