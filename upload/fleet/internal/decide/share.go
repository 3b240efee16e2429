package decide

import "time"

// Share returns the part of limit that the worker of this rank has among so many: all
// shares together are limit, unless that is less than floor for each. A limit of 0 is
// none.
func Share(limit int64, workers, rank int, floor int64) int64 {
	if limit == 0 {
		return 0
	}
	workers = max(workers, 1)
	share := limit / int64(workers)
	if int64(rank) < limit%int64(workers) {
		share++
	}
	return max(share, floor)
}

// A Grower lets a share shrink at once and grow only after the larger one has stood
// for a while: the others have shrunk by then.
type Grower struct {
	applied int64
	wait    time.Duration

	wanted int64     // the share that waits; 0: none does
	since  time.Time // when it was first due
}

// NewGrower returns a Grower of a worker that begins with a share of start, and has
// larger ones wait.
func NewGrower(start int64, wait time.Duration) *Grower {
	return &Grower{applied: start, wait: wait}
}

// Next returns the share to apply now, given the one that is due.
func (g *Grower) Next(due int64, now time.Time) int64 {
	if due <= g.applied {
		g.applied, g.wanted = due, 0
		return g.applied
	}
	if g.wanted == 0 || due > g.wanted {
		g.since = now
	}
	g.wanted = due // where it has become less, it has stood since then all the more
	if now.Sub(g.since) >= g.wait {
		g.applied, g.wanted = due, 0
	}
	return g.applied
}
