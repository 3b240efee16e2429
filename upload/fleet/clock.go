package fleet

import (
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
)

// A clock tells the time by which workers judge what others have written: this machine's,
// or the servers' where the two differ by more than a second. Leases do not depend on it.
type clock struct {
	machine func() time.Time // nil: time.Now
	ahead   atomic.Int64     // of the machine's; the servers' clock is, in nanoseconds
}

func (c *clock) own() time.Time {
	if c.machine != nil {
		return c.machine()
	}
	return time.Now()
}

func (c *clock) now() time.Time { return c.own().Add(time.Duration(c.ahead.Load())) }

// compare sets the clock by what the servers' showed between two moments of the machine's.
func (c *clock) compare(servers, asked, answered time.Time) {
	if ahead, ok := decide.Ahead(servers, asked, answered); ok {
		c.ahead.Store(int64(ahead))
	}
}
