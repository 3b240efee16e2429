package upload

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Start begins with the first file of the list that is in init, and returns. Files
// that are added later go on by themselves. The end of ctx is a Stop. It returns
// [ErrState] on a client that is started already, or paused: Resume goes on then.
func (c *Client) Start(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("upload: Start: %w", context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := c.state.next(doStart)
	if err != nil {
		return err
	}
	c.state, c.why = to, nil
	c.stopWatching()
	c.detach = context.AfterFunc(ctx, func() { c.stopFor(context.Cause(ctx)) })
	c.pump()
	c.notify()
	return nil
}

// stopWatching lets go of Start's context.
func (c *Client) stopWatching() {
	if c.detach != nil {
		c.detach()
		c.detach = nil
	}
}

// Stop sets the files that are uploading back to init, and keeps their checkpoints:
// Start goes on with them. It waits up to a second for what is in flight to end.
func (c *Client) Stop() error { return c.halt(doStop, nil, toStop, ErrStopped) }

func (c *Client) stopFor(cause error) {
	err := ErrStopped
	if cause != nil {
		err = fmt.Errorf("%w: %w", ErrStopped, cause)
	}
	_ = c.halt(doStop, err, toStop, err)
}

// Pause stops what is in flight, and keeps the checkpoints; Resume goes on. It waits
// up to a second for that.
func (c *Client) Pause() error { return c.halt(doPause, nil, toPause, errPaused) }

// halt interrupts all runs.
func (c *Client) halt(a action, why error, to intent, cause error) error {
	c.mu.Lock()
	state, err := c.state.next(a)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.state, c.why = state, why
	if a == doStop {
		c.stopWatching()
	}
	var waits []<-chan struct{}
	for e := c.order.Front(); e != nil; e = e.Next() {
		f := e.Value.(*file)
		if c.interrupt(f, to, cause) {
			waits = append(waits, f.done)
			continue
		}
		switch {
		case a != doStop || f.info.State != FilePaused:
		case f.solo:
			c.failed(f, newError(&f.info, cause))
		default:
			_ = f.apply(fileStop)
		}
	}
	c.notify()
	c.mu.Unlock()
	waitShort(waits...)
	return nil
}

// Resume goes on after Pause.
func (c *Client) Resume() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	to, err := c.state.next(doResume)
	if err != nil {
		return err
	}
	c.state = to
	c.pump()
	c.notify()
	return nil
}

// Wait returns when the client is finished, and the callbacks of all that happened
// until then have returned (if it is not itself called from one). The error is nil
// if all files of the list succeeded or were canceled; an [Errors] if some failed;
// [ErrStopped], with the end of Start's context as its cause, if the client was
// stopped; [ErrState] if it was not started; or what ended ctx.
func (c *Client) Wait(ctx context.Context) error {
	inside := c.inCallback()
	err := c.await(ctx, func() bool {
		switch c.state {
		case Init:
			return true
		case Stopped, Finished, Closed:
			return c.active == 0 && (inside || !c.events.delivering)
		}
		return false
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if busy := c.events.busyWith(); busy != "" {
			err = fmt.Errorf("%w (%s)", err, busy)
		}
		return fmt.Errorf("upload: Wait: %w", err)
	}
	return c.outcome()
}

// outcome is what Wait returns in the present state.
func (c *Client) outcome() error {
	switch c.state {
	case Init:
		return fmt.Errorf("%w: Wait, the client is %s: call Start first", ErrState, c.state)
	case Closed:
		return ErrClosed
	}
	var failed Errors
	for e := c.order.Front(); e != nil; e = e.Next() {
		var one *Error
		if f := e.Value.(*file); f.info.State == FileFailed && errors.As(f.info.Err, &one) {
			failed = append(failed, one)
		}
	}
	switch {
	case c.state == Stopped && c.why != nil:
		return c.why
	case c.state == Stopped:
		return ErrStopped
	case len(failed) > 0:
		return failed
	}
	return nil
}

// Status returns what the client is doing.
func (c *Client) Status() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Stats are the figures of the whole list at one moment.
type Stats struct {
	Files    map[FileState]int // how many files are in each state
	Total    int64             // bytes of all files that are not canceled
	Uploaded int64             // of these, bytes that the server has acknowledged
	Speed    float64           // bytes acknowledged per second, over the last seconds
	Left     time.Duration     // at this speed, for all that is neither failed nor canceled; 0: not known
	InFlight int               // requests
}

// Stats returns the figures of the list.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{Files: make(map[FileState]int)}
	var todo int64
	for e := c.order.Front(); e != nil; e = e.Next() {
		i := e.Value.(*file).snapshot()
		s.Files[i.State]++
		if i.State == FileCanceled {
			continue
		}
		s.Total += max(i.Size, i.Uploaded) // the size of a Reader is not known at first
		s.Uploaded += i.Uploaded
		if i.State != FileFailed {
			todo += max(i.Size-i.Uploaded, 0)
		}
	}
	s.InFlight = c.slots.used()
	s.Speed = c.rate.perSecond(time.Now())
	if s.Speed > 0 {
		s.Left = time.Duration(float64(todo) / s.Speed * float64(time.Second))
	}
	return s
}

// Upload uploads one file and returns what became of it, whether the client was
// started or not; while it is paused, it waits. It shares the slots, credentials
// and callbacks with the list, and leaves the list when it has ended. The end of
// ctx ends it and keeps its checkpoint, so that the next Upload of the same file to
// the same destination goes on. The error is an [*Error].
func (c *Client) Upload(ctx context.Context, f File) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("upload: Upload: %w", context.Cause(ctx))
	}
	added, err := c.newFile(f)
	if err != nil {
		return Result{}, err
	}
	added.solo = true
	c.mu.Lock()
	if err := c.enlist(added); err != nil {
		c.mu.Unlock()
		return Result{}, err
	}
	c.enqueue(added)
	c.mu.Unlock()

	detach := context.AfterFunc(ctx, func() { c.endSolo(added, context.Cause(ctx)) })
	defer detach()
	inside := c.inCallback()
	_ = c.await(context.Background(), func() bool {
		return added.ended() && (inside || !c.hasEvents(added))
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	info := added.info
	if !added.deleted {
		c.delist(added)
	}
	switch info.State {
	case FileSucceeded:
		return *info.Result, nil
	case FileCanceled:
		return Result{}, newError(&info, ErrCanceled)
	}
	return Result{}, info.Err
}

// endSolo ends a file of Upload whose context has ended.
func (c *Client) endSolo(f *file, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interrupt(f, goOn, cause) || f.ended() {
		return
	}
	c.failed(f, newError(&f.info, cause))
	c.notify()
}

// ended reports whether nothing will happen to the file by itself any more.
func (f *file) ended() bool {
	switch f.info.State {
	case FileSucceeded, FileFailed, FileCanceled:
		return f.done == nil
	}
	return false
}

// hasEvents reports whether callbacks about the file are still to be made.
func (c *Client) hasEvents(f *file) bool {
	if c.events.now != nil && c.events.now.f == f {
		return true
	}
	for _, e := range c.events.queue {
		if e.f == f {
			return true
		}
	}
	return false
}
