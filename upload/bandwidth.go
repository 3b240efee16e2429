package upload

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// checkBandwidth returns an error for a limit that is none and not possible.
func checkBandwidth(field string, got int64) error {
	if got < 0 || 0 < got && got < MinBandwidthLimit {
		return fmt.Errorf("%w: %s: got %d bytes per second, want 0 for no limit, or %d or more", ErrInvalidArgument, field, got, MinBandwidthLimit)
	}
	return nil
}

// SetBandwidthLimit changes Options.BandwidthLimit: how many bytes are sent per second,
// over all files; 0 means no limit. It holds for requests in flight too, from their next
// bytes on, which is within a second. A timetable that the client follows changes the
// limit again at its next change. The error is [ErrInvalidArgument] for less than
// [MinBandwidthLimit], or [ErrClosed].
func (c *Client) SetBandwidthLimit(bytesPerSecond int64) error {
	if err := checkBandwidth("SetBandwidthLimit", bytesPerSecond); err != nil {
		return err
	}
	if c.Status() == StateClosed {
		return ErrClosed
	}
	c.service.SetBandwidthLimit(bytesPerSecond)
	return nil
}

// FollowTimetable sets the bandwidth limit as t says, now and at each change, by the time
// of [time.Local]. It returns at once. The client follows t until ctx ends, the client is
// closed, or FollowTimetable is called again, and keeps the limit that it has then. That
// the clock of the computer was set is noticed within a minute. The error is [ErrClosed],
// or the cause of ctx if that has ended.
func (c *Client) FollowTimetable(ctx context.Context, t Timetable) error {
	if ctx.Err() != nil {
		return fmt.Errorf("upload: FollowTimetable: %w", context.Cause(ctx))
	}
	if c.Status() == StateClosed {
		return ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &follower{table: t, cancel: cancel}
	f.set = func(limit int64) {
		c.shared.following.ifCurrent(f, func() { c.service.SetBandwidthLimit(limit) })
	}
	c.shared.following.replace(f)
	f.apply(time.Now())
	if !c.goDo(func(closed context.Context) {
		defer cancel()
		defer context.AfterFunc(closed, cancel)()
		f.follow(ctx)
	}) {
		cancel()
		return ErrClosed
	}
	return nil
}

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

// following is what follows a timetable now. Its zero value is nothing.
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
