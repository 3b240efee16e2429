package upload

import (
	"context"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/slots"
)

// measure lets a budget that finds its limit by measuring see what the connections carry,
// while files are under way.
func (c *Client) measure(ctx context.Context) {
	busy := func(l *filelist.List) bool {
		running, _ := l.Busy()
		return running > 0
	}
	tick := time.NewTicker(slots.AutoTick)
	defer tick.Stop()
	for c.await(ctx, &c.changed, busy) == nil {
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
