package upload

import (
	"context"
	"time"
)

// maxActive bounds the files that were started and have not ended. It is more than
// there are slots, so that files which wait for a token or to retry do not keep
// others from going on, and bounds what a list of any length costs.
func (o *Options) maxActive() int { return max(256, 2*o.Parallel) }

// slotIdle is called when a slot is free and no started file wants it.
func (c *Client) slotIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pump()
}

// settle is called, with the lock held, after everything that may let a file start,
// or somebody stop waiting.
func (c *Client) settle() {
	c.pump()
	c.changed.Broadcast()
}

// pump starts files while there are slots that no started file wants, and finds
// that nothing is left to do.
func (c *Client) pump() {
	for {
		f, slot := c.nextFile()
		if f == nil {
			break
		}
		c.begin(f, slot)
	}
	if c.listed > 0 || !c.waiting.empty() {
		c.allDone = false
		return
	}
	if c.state != Started {
		return
	}
	c.state, _ = c.state.next(doFinish)
	c.allDone = true
	if on := c.opts.Callbacks.OnFinished; on != nil {
		c.push(&event{name: "OnFinished", call: func(*event) { on(c) }})
	}
	c.changed.Broadcast()
}

// nextFile takes the next file to be started, and a slot for it. Those of Upload, up
// to as many as there are slots, start without one: they come first in the line,
// and would never get into it while the list keeps all slots busy.
func (c *Client) nextFile() (f *file, slot bool) {
	switch {
	case c.state == Paused, c.state == Closed:
	case !c.solos.empty():
		if slot = c.slots.tryAcquire(); slot || c.soloing < c.opts.Parallel {
			return c.solos.take(), slot
		}
	case c.state == Started && !c.waiting.empty() && c.active < c.opts.maxActive() && c.slots.tryAcquire():
		return c.waiting.take(), true
	}
	return nil, false
}

// queue is where the file waits for its turn.
func (c *Client) queue(f *file) *queue {
	if f.solo {
		return &c.solos
	}
	return &c.waiting
}

// queueUp has a file wait for its turn, if it wants one, and no longer if it does
// not. It is called after everything that wantsTurn goes by has changed.
func (c *Client) queueUp(f *file) {
	if f.wantsTurn() {
		c.queue(f).add(f)
	} else {
		c.queue(f).remove(f)
	}
}

// begin begins a run of a file. With slot it has a slot in its hand, so that no more
// files are started than there are slots for.
func (c *Client) begin(f *file, slot bool) {
	c.must(f, fileStart)
	ctx, cancel := context.WithCancelCause(c.ctx)
	f.cancel = cancel
	f.turn++
	c.active++
	c.occupy(f, 1)
	if !f.begun {
		f.begun, f.uploaded = true, -1
		f.info.Started = time.Now()
		on := c.opts.Callbacks.OnStarted
		c.tell("OnStarted", f, on != nil, func(e *event) { on(c, e.info) })
	}
	r := &run{c: c, f: f, turn: f.turn, slots: &fileSlots{slots: c.slots, order: f.rank()}}
	r.slots.inHand.Store(slot)
	c.workers.Go(func() { r.do(ctx) })
}

// occupy counts the runs and clean-ups of a file: n is 1 at the beginning of one, and
// -1 at its end.
func (c *Client) occupy(f *file, n int) {
	f.busy = n > 0
	c.queueUp(f)
	switch {
	case f.solo:
		c.soloing += n
	default:
		c.listed += n
	}
	if f.deleted {
		c.leave(f, n)
	}
}

// leave takes note of a deleted file that still runs or is being cleaned up after:
// the same source may be added again meanwhile, and has to wait.
func (c *Client) leave(f *file, n int) {
	name := f.name()
	c.leaving[name] += n
	if c.leaving[name] == 0 {
		delete(c.leaving, name)
	}
}

// interrupt ends a run for the given reason. A stronger reason replaces a weaker one
// that the run has not yet ended for. It is called with the lock held.
func (c *Client) interrupt(f *file, why intent, cause error) {
	if why > f.intent {
		f.intent, f.cause = why, cause
	}
	f.cancel(cause)
	c.account(f)
}
