package upload

import (
	"context"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/slots"
)

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
