// Package notify calls callbacks: one at a time, in order, on a goroutine that holds
// no lock of its caller's.
package notify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// An Event is one call of a callback, not made yet.
type Event struct {
	Name    string // of the callback
	About   string // the file's path; empty: not about a file
	Call    func()
	Limited bool // it is dropped where MaxLimited of these wait already

	waits bool // in the queue; belongs to the queue's lock
}

// MaxLimited bounds the limited events that wait behind a callback which does not
// return.
const MaxLimited = 1000

// A Queue delivers events. Its zero value is ready.
type Queue struct {
	mu         sync.Mutex
	events     []*Event
	pushed     uint64 // events that were put into the queue
	done       uint64 // of these, how many were delivered
	limited    int    // limited events in the queue
	delivering bool
	now        *Event    // whose callback is running
	since      time.Time // when it was called
	goroutine  uint64    // that delivers
	delivered  tasks.Signal
}

// Push queues an event and has it delivered. It returns its mark, for Wait.
func (q *Queue) Push(e *Event) (mark uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.Limited {
		if q.limited >= MaxLimited {
			return q.pushed
		}
		q.limited++
	}
	e.waits = true
	q.events = append(q.events, e)
	q.pushed++
	if !q.delivering {
		q.delivering = true
		go q.deliver()
	}
	return q.pushed
}

// Update calls change, which may alter what e reports, and returns true if e still
// waits for its delivery.
func (q *Queue) Update(e *Event, change func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.waits {
		change()
	}
	return e.waits
}

// Mark returns the mark of the event that was pushed last.
func (q *Queue) Mark() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.pushed
}

// Wait waits until the callbacks of all events up to mark have returned. The error is
// the cause that ended ctx.
func (q *Queue) Wait(ctx context.Context, mark uint64) error {
	return q.await(ctx, func() bool { return q.done >= mark })
}

// Idle waits until nothing is left to deliver; it returns false if ctx ended before.
func (q *Queue) Idle(ctx context.Context) bool {
	return q.await(ctx, func() bool { return !q.delivering }) == nil
}

// await waits until over returns true. It calls it with mu held, at once and after each
// delivery.
func (q *Queue) await(ctx context.Context, over func() bool) error {
	for {
		delivered := q.delivered.C()
		q.mu.Lock()
		is := over()
		q.mu.Unlock()
		if is {
			return nil
		}
		select {
		case <-delivered:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// deliver calls the callbacks until the queue is empty.
func (q *Queue) deliver() {
	returned := false
	defer func() {
		if !returned { // a callback ended the goroutine, as testing.T.FailNow does
			go q.deliver()
		}
	}()
	id := goroutineID()
	for e := q.next(id); e != nil; e = q.next(id) {
		e.Call()
	}
	returned = true
}

// next records that the callback of the event before has returned. It returns nil if
// no event is left; the next Push starts a new delivery then.
func (q *Queue) next(goroutine uint64) *Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.goroutine = goroutine
	if q.now != nil {
		q.now = nil
		q.done++
		q.delivered.Broadcast()
	}
	if len(q.events) == 0 {
		q.events, q.delivering = nil, false
		return nil
	}
	e := q.events[0]
	q.events[0] = nil
	q.events = q.events[1:]
	e.waits = false
	if e.Limited {
		q.limited--
	}
	q.now, q.since = e, time.Now()
	return e
}

// Inside reports whether the calling goroutine is the one that delivers: a callback
// that waits for the callbacks to end would wait for itself.
func (q *Queue) Inside() bool {
	q.mu.Lock()
	delivering, id := q.delivering, q.goroutine
	q.mu.Unlock()
	return delivering && id == goroutineID()
}

// Busy says which callback has not returned; it is empty if none is running.
func (q *Queue) Busy() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.now == nil {
		return ""
	}
	text := fmt.Sprintf("callback %s has not returned for %v", q.now.Name, time.Since(q.since).Round(time.Millisecond))
	if q.now.About != "" {
		text += " (file " + q.now.About + ")"
	}
	return text
}
