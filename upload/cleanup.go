package upload

import (
	"context"
	"math"

	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// cleanupRank is the place of clean-ups in the line for slots: before all files, for
// they are short, and somebody may wait in CancelFile or Close.
const cleanupRank FileID = math.MinInt64

// A cleanup takes away what a file that does not run has left at the server and on
// disk.
type cleanup struct {
	f    *file
	job  *transfer.Job
	then func() // called with the lock held; may be nil
}

// cleanUp has a file cleaned up after, and then calls then, which may be nil, with
// the lock held. It is called with the lock held.
func (c *Client) cleanUp(f *file, then func()) {
	f.leftover = false
	c.cleaning++
	c.occupy(f, 1)
	c.cleanups = append(c.cleanups, &cleanup{f, &transfer.Job{
		Name: f.source, Target: f.target(), Gate: &fileGate{c: c, f: f, behind: true},
		Slots: &fileSlots{slots: c.slots, order: cleanupRank}, Volatile: f.volatile(), VideoID: f.mediaID(),
		Object: target.ObjectOptions{RequestPayer: f.spec.RequestPayer},
		Emit:   func(e transfer.Event) { c.logBehind(e, func() []any { return c.attrs(f) }) },
	}, then})
	c.startCleanups()
}

// startCleanups starts as many as there are slots: more would only wait, and their
// time runs from their start.
func (c *Client) startCleanups() {
	for c.cleaners < c.opts.Parallel && len(c.cleanups) > 0 {
		up := c.cleanups[0]
		c.cleanups[0] = nil
		c.cleanups = c.cleanups[1:]
		if c.workers.Go(func() { c.cleanUpNow(up) }) {
			c.cleaners++
		} else {
			c.cleaned(up) // Close has given up
		}
	}
}

func (c *Client) cleanUpNow(up *cleanup) {
	ctx, cancel := context.WithTimeout(c.ctx, c.opts.CleanupTimeout)
	defer cancel()
	var err error
	if up.f.stream != nil {
		err = c.service.AbandonStream(ctx, up.job, up.f.stream)
	} else {
		err = c.abandon(ctx, up)
	}
	if err != nil {
		c.opts.Logger.Warn("an unfinished upload stays at the server", c.attrs(up.f, "error", err)...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleaners--
	c.cleaned(up)
	c.startCleanups()
	c.settle()
}

func (c *Client) cleaned(up *cleanup) {
	c.cleaning--
	c.occupy(up.f, -1)
	if up.then != nil {
		up.then()
	}
	up.f.changed.Broadcast()
}
