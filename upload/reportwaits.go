package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
)

// waitGrace is how long a wait has lasted when OnWaiting reports it, unless an attempt to
// get what is waited for has failed before: most waits are over by then.
const waitGrace = 100 * time.Millisecond

// A wait is that of one request, or of a file before its first.
type wait struct {
	c   *Client
	e   *entry
	why WaitReason
}

// wait records that a file waits, until end is called.
func (c *Client) wait(e *entry, why WaitReason) *wait {
	w := &wait{c, e, why}
	c.view(func(*filelist.List) { w.beginLocked() })
	return w
}

func (w *wait) beginLocked() {
	one := w.e.waits.of(w.why)
	if one == nil {
		one = &waitFor{now: Waiting{For: w.why, Since: time.Now()}}
		w.e.waits = append(w.e.waits, one)
		w.c.reportLaterLocked(w.e, one)
	}
	one.requests++
}

// failed reports that an attempt to get what is waited for has failed. All requests of
// the file may report the same attempt.
func (w *wait) failed(attempt int, err error) {
	w.c.view(func(*filelist.List) { w.failedLocked(attempt, err) })
}

func (w *wait) failedLocked(attempt int, err error) {
	one := w.e.waits.of(w.why)
	if one.now.Err != nil && one.attempt == attempt {
		return
	}
	one.now.Err, one.attempt, one.over = err, attempt, false
	w.c.reportWaitLocked(w.e, one)
}

// end ends the wait of the request. It returns err, which may have ended it, as the user
// is to see it.
func (w *wait) end(err error) error {
	var was Waiting
	var last bool
	w.c.view(func(*filelist.List) { was, last = w.endLocked() })
	if last {
		w.c.observeWait(w.e.id, was)
	}
	return was.after(err)
}

// endLocked returns what the wait was, and whether no request of the file has it any more.
func (w *wait) endLocked() (was Waiting, last bool) {
	one := w.e.waits.of(w.why)
	if one.requests--; one.requests > 0 {
		return one.now, false
	}
	var left waits
	for _, other := range w.e.waits {
		if other != one {
			left = append(left, other)
		}
	}
	w.e.waits = left
	return one.now, true
}

// newWaits are waits that OnWaiting has not reported, the oldest first.
type newWaits []newWait

type newWait struct {
	e   *entry
	one *waitFor
}

// reportLaterLocked reports a wait after waitGrace, if it lasts. One timer serves all files:
// any number of them may begin to wait at once.
func (c *Client) reportLaterLocked(e *entry, one *waitFor) {
	if c.opts.Callbacks.OnWaiting == nil {
		return
	}
	c.shared.newWaits = append(c.shared.newWaits, newWait{e, one})
	if len(c.shared.newWaits) == 1 {
		time.AfterFunc(waitGrace, c.reportNewWaits)
	}
}

// reportNewWaits reports the waits that have lasted for waitGrace.
func (c *Client) reportNewWaits() {
	c.view(func(*filelist.List) {
		now := time.Now()
		for len(c.shared.newWaits) > 0 {
			w := c.shared.newWaits[0]
			if left := waitGrace - now.Sub(w.one.now.Since); left > 0 && !w.one.reported {
				time.AfterFunc(left, c.reportNewWaits)
				return
			}
			c.shared.newWaits = c.shared.newWaits[1:]
			if !w.one.reported && w.e.waits.of(w.one.now.For) == w.one {
				c.reportWaitLocked(w.e, w.one)
			}
		}
		c.shared.newWaits = nil
	})
}

// reportWaitLocked queues an OnWaiting, unless one waits already: that reports what is when
// it is delivered, and nothing if the wait is over by then.
func (c *Client) reportWaitLocked(e *entry, one *waitFor) {
	one.reported = true
	on := c.opts.Callbacks.OnWaiting
	if on == nil || one.queued {
		return
	}
	one.queued = true
	c.enqueueLocked(e, &notify.Event{Name: "OnWaiting", Call: func() {
		var info FileInfo
		var w Waiting
		lasts := false
		c.view(func(l *filelist.List) {
			one.queued = false
			if lasts = e.waits.of(one.now.For) == one && !one.over; lasts {
				f, _ := l.Get(filelist.ID(e.id))
				info, w = e.snapshot(&f), one.now
			}
		})
		if lasts {
			on(c, info, w)
		}
	}})
}

// holdReasons has the waits of files that are held back.
var holdReasons = [...]WaitReason{
	filelist.HeldByGroup: WaitGroup, filelist.HeldByNamesake: WaitClaim, filelist.HeldByEndpoint: WaitNetwork,
}

// heldLocked shows that something keeps a file from its turn, or no longer does.
func (c *Client) heldLocked(e *entry, effect filelist.Effect) {
	w := &wait{c, e, holdReasons[effect.Hold]}
	if effect.Kind == filelist.Held {
		w.beginLocked()
		if effect.Err != nil {
			w.outageLocked(&e.outage, c.service.Away().Outages[e.site.text], effect.Err)
		}
		return
	}
	if c.list.State() != filelist.Started { // it hears of the outage again when it may start again
		e.outage = shownOutage{}
	}
	was, last := w.endLocked()
	if last && c.opts.Observer != nil {
		c.workers.goAnyway(func() { c.observeWait(e.id, was) })
	}
}

// queueWaits are what files of the queue wait for.
type queueWaits struct {
	files   int
	longest *Waiting // nil: none waits
}

func (c *Client) queueWaitsLocked(l *filelist.List) (q queueWaits) {
	for f := range l.All() {
		w := c.entries[FileID(f.ID)].waits.first()
		if w == nil || f.Lane != filelist.Queue {
			continue
		}
		q.files++
		if q.longest == nil || w.Since.Before(q.longest.Since) {
			q.longest = w
		}
	}
	return q
}

// of returns err, which ends what somebody waits for, with what the files wait for.
func (q queueWaits) of(err error) error {
	if q.longest == nil {
		return err
	}
	return q.longest.of(q.files, err)
}

// waitedForBy returns err, which ends a wait for one file, with what that waits for.
func (c *Client) waitedForBy(id FileID, err error) error {
	q := queueWaits{files: 1}
	c.view(func(*filelist.List) {
		if e := c.entries[id]; e != nil {
			q.longest = e.waits.first()
		}
	})
	return q.of(err)
}

// outage reports why the file waits, unless that outage was reported before.
func (w *wait) outage(shown *shownOutage, number int, why error) {
	w.c.view(func(*filelist.List) { w.outageLocked(shown, number, why) })
}

func (w *wait) outageLocked(shown *shownOutage, number int, why error) {
	one := w.e.waits.of(w.why)
	if number > 0 && shown.number == number {
		one.reported = true
		one.now.Since, one.now.Err, one.attempt = shown.since, why, 1
		return
	}
	*shown = shownOutage{number, one.now.Since}
	w.failedLocked(1, why)
}

// observeWait reports a wait that is over.
func (c *Client) observeWait(id FileID, was Waiting) {
	if o := c.opts.Observer; o != nil && o.Wait != nil {
		o.Wait(id, was, time.Since(was.Since))
	}
}
