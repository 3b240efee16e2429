package upload

import (
	"context"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/slots"
)

// SetParallel changes Options.Parallel: how many requests are in flight at the same
// time, over all files, from 1 to 1,000, or [Auto]. More are started at once. Where it is
// less than before, requests in flight end first. How many files are started at a time
// follows it, and so does the memory that a Reader needs, with the parts that are
// acknowledged; an Options.HTTPClient has limits of its own. The error is
// [ErrInvalidArgument] or [ErrClosed].
func (c *Client) SetParallel(n int) error {
	most := n
	if n == Auto {
		most = slots.AutoMost
	}
	if err := inRange("SetParallel", most, 1, maxParallel, ", or Auto"); err != nil {
		return err
	}
	return c.decide(func(l *filelist.List) error {
		if l.State() == filelist.Closed {
			return ErrClosed
		}
		l.SetLimits(c.opts.limits(most))
		c.service.SetParallel(most)
		if n == Auto {
			c.setAuto()
		} else {
			c.slots.Set(n)
		}
		return nil
	})
}

// setAuto has the budget of requests find its limit by measuring.
func (c *Client) setAuto() {
	if number := c.slots.SetAuto(); number > 0 {
		c.goDo(func(ctx context.Context) { c.measure(ctx, number) })
	}
}

// measure lets a budget that finds its limit by measuring see what the connections carry,
// while files are under way. It returns when the measuring of that number has ended.
func (c *Client) measure(ctx context.Context, number int) {
	busy := func(l *filelist.List) bool {
		running, _ := l.Busy()
		return running > 0 || !c.slots.Measures(number)
	}
	tick := time.NewTicker(slots.AutoTick)
	defer tick.Stop()
	for c.await(ctx, &c.changed, busy) == nil && c.slots.Measures(number) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if c.slots.Measure(slots.Traffic(c.service.Traffic())) {
			c.startFiles()
		}
	}
}
