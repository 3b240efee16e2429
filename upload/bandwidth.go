package upload

import (
	"context"
	"fmt"
	"time"
)

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
