package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
)

// waitGrace is how long a wait has lasted when OnWaiting reports it, unless an attempt to
// get what is waited for has failed before: most waits are over by then.
const waitGrace = 100 * time.Millisecond

// waits are what the requests of a file wait for, by the reason. The client's lock guards
// them.
type waits [waitReasons]struct {
	requests int // that wait
	now      Waiting
	attempt  int         // the one that Err is of
	grace    *time.Timer // until it is reported
	event    *waitingEvent
}

// first returns the wait that has lasted longest; nil: there is none.
func (ws *waits) first() (first *Waiting) {
	if ws == nil {
		return nil
	}
	for i := range ws {
		if one := &ws[i]; one.requests > 0 && (first == nil || one.now.Since.Before(first.Since)) {
			copied := one.now
			first = &copied
		}
	}
	return first
}

// A wait is that of one request, or of a file before its first.
type wait struct {
	c   *Client
	e   *entry
	why WaitReason
}

// wait records that a file waits, until end is called.
func (c *Client) wait(e *entry, why WaitReason) *wait {
	w := &wait{c, e, why}
	c.view(func(*filelist.List) {
		if e.waits == nil {
			e.waits = new(waits)
		}
		one := &e.waits[why]
		if one.requests++; one.requests > 1 {
			return
		}
		one.now, one.attempt = Waiting{For: why, Since: time.Now()}, 0
		since := one.now.Since
		one.grace = time.AfterFunc(waitGrace, func() { c.waitLasts(e, why, since) })
	})
	return w
}

// waitLasts reports a wait in which no attempt has failed yet.
func (c *Client) waitLasts(e *entry, why WaitReason, since time.Time) {
	c.view(func(l *filelist.List) {
		if e.waits == nil {
			return
		}
		if one := &e.waits[why]; one.requests > 0 && one.now.Since.Equal(since) && one.now.Err == nil {
			c.enqueueWaitingLocked(l, e, why)
		}
	})
}

// failed reports that an attempt to get what is waited for has failed. All requests of
// the file may report the same attempt.
func (w *wait) failed(attempt int, err error) {
	w.c.view(func(l *filelist.List) {
		one := &w.e.waits[w.why]
		if one.now.Err != nil && one.attempt == attempt {
			return
		}
		one.now.Err, one.attempt = err, attempt
		w.c.enqueueWaitingLocked(l, w.e, w.why)
	})
}

// now is the wait as it is.
func (w *wait) now() (now Waiting) {
	w.c.view(func(*filelist.List) { now = w.e.waits[w.why].now })
	return now
}

// end ends the wait of the request, and returns what it was.
func (w *wait) end() (was Waiting) {
	last := false
	w.c.view(func(*filelist.List) {
		one := &w.e.waits[w.why]
		was = one.now
		if one.requests--; one.requests > 0 {
			return
		}
		last = true
		one.grace.Stop()
		w.c.withdrawWaitingLocked(w.e, w.why)
		if w.e.waits.first() == nil {
			w.e.waits = nil
		}
	})
	if last {
		w.c.observeWait(w.e.id, was)
	}
	return was
}

// A waitingEvent is an OnWaiting that can be changed, or withdrawn, while it waits for
// its delivery.
type waitingEvent struct {
	notify.Event
	info FileInfo
	w    Waiting
	over bool
}

// enqueueWaitingLocked queues an OnWaiting, or updates the one that waits.
func (c *Client) enqueueWaitingLocked(l *filelist.List, e *entry, why WaitReason) {
	on := c.opts.Callbacks.OnWaiting
	if on == nil {
		return
	}
	f, _ := l.Get(filelist.ID(e.id))
	one := &e.waits[why]
	info, w := e.snapshot(&f), one.now
	if p := one.event; p != nil && c.notify.Update(&p.Event, func() { p.info, p.w, p.over = info, w, false }) {
		return
	}
	p := &waitingEvent{info: info, w: w}
	p.Event = notify.Event{Name: "OnWaiting", Call: func() {
		if !p.over {
			on(c, p.info, p.w)
		}
	}}
	c.enqueueLocked(e, &p.Event)
	one.event = p
}

// withdrawWaitingLocked withdraws an OnWaiting that was not delivered yet.
func (c *Client) withdrawWaitingLocked(e *entry, why WaitReason) {
	if e.waits == nil {
		return
	}
	if p := e.waits[why].event; p != nil {
		c.notify.Update(&p.Event, func() { p.over = true })
	}
}

// waitedForLocked returns err, which ends what somebody waits for, with what files of the
// queue wait for.
func (c *Client) waitedForLocked(l *filelist.List, err error) error {
	n := 0
	var longest *Waiting
	for f := range l.All() {
		w := c.entries[FileID(f.ID)].waits.first()
		if w == nil || f.Lane != filelist.Queue {
			continue
		}
		n++
		if longest == nil || w.Since.Before(longest.Since) {
			longest = w
		}
	}
	if longest == nil {
		return err
	}
	return longest.of(n, err)
}

// waitedForBy returns err, which ends a wait for one file, with what that waits for.
func (c *Client) waitedForBy(id FileID, err error) error {
	c.view(func(*filelist.List) {
		if e := c.entries[id]; e != nil && e.waits.first() != nil {
			err = e.waits.first().of(1, err)
		}
	})
	return err
}
