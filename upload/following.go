package upload

import (
	"context"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// A follower keeps a limit to a timetable.
type follower struct {
	table  Timetable
	set    func(limit int64)
	cancel context.CancelFunc

	limit   int64 // that was set last
	applied bool
}

// clockInterval is how often a follower looks at the clock, which somebody may set.
const clockInterval = time.Minute

// apply sets the limit of now if it has changed, and returns the time until the next
// look. It leaves alone a limit that somebody has set since the last change.
func (f *follower) apply(now time.Time) time.Duration {
	limit, until := f.table.At(now)
	if !f.applied || limit != f.limit {
		f.set(limit)
		f.limit, f.applied = limit, true
	}
	if until.IsZero() {
		return clockInterval
	}
	return min(until.Sub(now), clockInterval)
}

// follow returns when ctx ends.
func (f *follower) follow(ctx context.Context) {
	for tasks.Sleep(ctx, f.apply(time.Now().Round(0))) == nil {
	}
}

// following has the follower of now, if there is one.
type following struct {
	mu      sync.Mutex
	current *follower
}

// replace ends the follower before f.
func (fg *following) replace(f *follower) {
	fg.mu.Lock()
	defer fg.mu.Unlock()
	if fg.current != nil {
		fg.current.cancel()
	}
	fg.current = f
}

func (fg *following) ifCurrent(f *follower, do func()) {
	fg.mu.Lock()
	defer fg.mu.Unlock()
	if fg.current == f {
		do()
	}
}
