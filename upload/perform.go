package upload

import (
	"context"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// decide calls fn as view does, to take one decision, and carries out what follows
// from it. fn may change entries as well as the list.
func (c *Client) decide(fn func(*filelist.List) error) (err error) {
	c.view(func(l *filelist.List) {
		l.Now = time.Now()
		err = fn(l)
		c.carryOutLocked()
	})
	c.changed.Broadcast()
	return err
}

// startFiles starts files that wait for a slot, if there is one.
func (c *Client) startFiles() {
	changed := false
	c.view(func(l *filelist.List) {
		l.Now = time.Now()
		changed = c.carryOutLocked()
	})
	if changed {
		c.changed.Broadcast()
	}
}

// carryOutLocked lets the list start what it can, and carries out the effects of all
// decisions. It reports whether there were any.
func (c *Client) carryOutLocked() (changed bool) {
	for {
		if away := c.service.Away(); away.Version != c.list.Away() {
			c.list.Hold(away.Version, away.Endpoints)
		}
		slots := c.slots.TryAcquire(c.list.Want())
		c.slots.Return(slots - c.list.Turn(slots))
		effects := c.list.Take()
		if len(effects) == 0 {
			return changed
		}
		changed = true
		for _, e := range effects {
			c.performLocked(e)
		}
	}
}

// performLocked carries out one effect. No step of it blocks.
func (c *Client) performLocked(effect filelist.Effect) {
	if effect.Event == filelist.EventFinished {
		c.enqueueFinishedLocked()
		return
	}
	e := c.entries[FileID(effect.File)]
	switch effect.Kind {
	case filelist.StartRun:
		c.startRunLocked(e, effect)
	case filelist.Interrupt:
		e.cancel(effect.Err)
		if f, _ := c.list.Get(effect.File); e.direct != nil && f.Why > filelist.ToPause {
			e.direct.decide()
		}
	case filelist.CleanUp:
		up := c.newCleanupLocked(e)
		if !c.workers.Go(func() { c.cleanUp(up) }) {
			c.list.Cleaned(effect.File) // Close has given up
		}
	case filelist.Release:
		c.closeReaderLocked(e)
	case filelist.Notify:
		c.enqueueEndLocked(e, effect)
	case filelist.Held, filelist.Freed:
		c.heldLocked(e, effect)
	case filelist.Rest:
		c.restLocked(e, effect)
	case filelist.Over:
		// In its turn: when the callbacks about the file have returned.
		c.notify.Push(&notify.Event{Name: "ForgetEnded", About: e.path, Call: func() { c.leave(e, effect.Run) }})
	case filelist.Drop:
		c.releaseProvider(e)
		c.shared.destinations.release(e)
		delete(c.entries, e.id)
		c.entries = filelist.Shrink(c.entries, &c.shared.entriesPeak)
	}
}

// sessionLocked returns what carries the file's bytes. Only one run or clean-up at a time
// uses it.
func (c *Client) sessionLocked(e *entry) *transfer.Session {
	if e.session == nil {
		e.session = c.service.NewSession(e.stream)
		if e.remembers {
			e.session.SetPutUnknown()
		}
	}
	return e.session
}

func (c *Client) startRunLocked(e *entry, effect filelist.Effect) {
	ctx, cancel := context.WithCancelCause(e.direct.context(c.workers.ctx))
	e.cancel = cancel
	r := &run{c: c, e: e, id: effect.File, number: effect.Run, session: c.sessionLocked(e), outage: e.outage}
	e.outage = shownOutage{}
	e.steps = &r.steps
	r.slots = &fileSlots{c: c, rank: rankOf(e)}
	r.slots.inHand.Store(effect.Slot)
	c.workers.Go(func() { r.do(ctx) })
}

// closeReaderLocked closes the Reader that a file has: later, where a Read of it is under
// way. Until then no other file may read it.
func (c *Client) closeReaderLocked(e *entry) {
	st := e.stream
	if st == nil {
		return
	}
	reading := st.Reading()
	if !reading {
		c.readers.release(st.Reader())
	}
	c.workers.goAnyway(func() {
		st.Close()
		c.workers.reads.Go(func() {
			<-st.Closed()
			if reading {
				c.view(func(*filelist.List) { c.readers.release(st.Reader()) })
			}
		})
	})
}

// restLocked gives the calls that wait for a file its end.
func (c *Client) restLocked(e *entry, effect filelist.Effect) {
	f, _ := c.list.Get(effect.File)
	end := e.end
	end.info, end.mark, end.err = e.snapshot(&f), c.notify.Mark(), effect.Err
	if f.Deleted && !f.State.Terminal() { // before it was started
		end.info.State = FileCanceled
	}
	e.end = nil
	close(end.done)
}
