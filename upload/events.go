package upload

import (
	"bytes"
	"fmt"
	"runtime"
	"time"
)

// An event is a call of one callback, not made yet.
type event struct {
	name string // of the callback
	f    *file  // nil: not about a file
	info FileInfo
	call func(*event)

	uploaded, total int64 // OnProgress
}

// maxRetryEvents bounds the OnRetry calls that wait behind a callback which does
// not return while the network is down. Later ones are only logged.
const maxRetryEvents = 1000

// events is what waits to be told. Its fields belong to the client's lock.
type events struct {
	queue   []*event
	pushed  uint64 // events that were put into queue
	done    uint64 // of these, how many were delivered
	retries int    // OnRetry events in queue

	delivering bool
	now        *event    // being delivered
	since      time.Time // when its callback was called
	goroutine  uint64    // that delivers
}

// push queues an event and sees to it that somebody delivers it. It is called with
// the lock held.
func (c *Client) push(e *event) {
	ev := &c.events
	ev.queue = append(ev.queue, e)
	ev.pushed++
	if e.f != nil {
		e.f.undelivered++
	}
	if !ev.delivering {
		ev.delivering = true
		c.callers.Go(c.deliver)
	}
}

// tell queues a callback about a file, if the user wants it. A progress event that
// is still in the queue stays what it is: it must not tell of what comes after e.
func (c *Client) tell(name string, f *file, wanted bool, call func(*event)) {
	if wanted {
		c.push(&event{name: name, f: f, info: f.snapshot(), call: call})
		f.pending = nil
	}
}

// tellProgress queues an OnProgress, or brings the one that waits up to date.
func (c *Client) tellProgress(f *file) {
	on := c.opts.Callbacks.OnProgress
	if on == nil {
		return
	}
	e := f.pending
	if e == nil {
		e = &event{name: "OnProgress", f: f, call: func(e *event) { on(c, e.info, e.uploaded, e.total) }}
		c.push(e)
		f.pending = e
	}
	f.uploaded, f.total = f.info.Uploaded, f.info.Size
	e.info, e.uploaded, e.total = f.snapshot(), f.uploaded, f.total
}

// tellRetry queues an OnRetry, unless too many wait already.
func (c *Client) tellRetry(f *file, r Retry) {
	on := c.opts.Callbacks.OnRetry
	if on == nil || c.events.retries >= maxRetryEvents {
		return
	}
	c.events.retries++
	c.tell("OnRetry", f, true, func(e *event) { on(c, e.info, r) })
}

// deliver calls the callbacks, one at a time, until there is nothing to tell.
func (c *Client) deliver() {
	finished := false
	defer func() {
		if !finished { // a callback ended the goroutine, as testing.T.FailNow does
			c.callers.Go(c.deliver)
		}
	}()
	id := goroutineID()
	for e := c.nextEvent(id); e != nil; e = c.nextEvent(id) {
		e.call(e)
	}
	finished = true
}

// nextEvent takes the event of before as delivered. It returns nil if there is none
// left, and then whoever pushes one sees to the delivery.
func (c *Client) nextEvent(goroutine uint64) *event {
	c.mu.Lock()
	defer c.mu.Unlock()
	ev := &c.events
	ev.goroutine = goroutine
	c.delivered()
	if len(ev.queue) == 0 {
		ev.queue, ev.delivering = nil, false
		return nil
	}
	e := ev.queue[0]
	ev.queue[0] = nil
	ev.queue = ev.queue[1:]
	if e.f != nil && e.f.pending == e {
		e.f.pending = nil
	}
	if e.name == "OnRetry" {
		ev.retries--
	}
	ev.now, ev.since = e, time.Now()
	return e
}

// delivered takes note that the callback of now has returned.
func (c *Client) delivered() {
	ev := &c.events
	if ev.now == nil {
		return
	}
	f := ev.now.f
	ev.now = nil
	ev.done++
	if f != nil {
		f.undelivered--
		f.changed.Broadcast()
	}
	if ev.done == ev.pushed || c.state == Finished || c.state == Stopped {
		c.changed.Broadcast() // a Wait may wait for it
	}
}

// inCallback reports whether the calling goroutine is the one that delivers: a
// callback that waits for the callbacks to end would wait for itself.
func (c *Client) inCallback() bool {
	c.mu.Lock()
	delivering, id := c.events.delivering, c.events.goroutine
	c.mu.Unlock()
	return delivering && id == goroutineID()
}

// busyWith says which callback has not returned.
func (c *Client) busyWith() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.events.busyWith()
}

func (ev *events) busyWith() string {
	if ev.now == nil {
		return ""
	}
	text := fmt.Sprintf("callback %s has not returned for %v", ev.now.name, time.Since(ev.since).Round(time.Millisecond))
	if ev.now.f != nil {
		text += " (file " + ev.now.info.Path + ")"
	}
	return text
}

// goroutineID returns the number that the runtime gives the calling goroutine in
// its traces. There is no other way to tell a call from within a callback, which
// may reach the client by a variable of its own, from one that comes meanwhile
// from elsewhere; the first must not wait for the callback, the second should.
func goroutineID() uint64 {
	var buf [64]byte
	text := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	var id uint64
	for _, d := range text {
		if d < '0' || d > '9' {
			break
		}
		id = id*10 + uint64(d-'0')
	}
	return id
}
