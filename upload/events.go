package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
)

// enqueueLocked queues a callback about a file. A progress event that still waits is not
// updated any more: it must not report what happens after this one.
func (c *Client) enqueueLocked(e *entry, event *notify.Event) {
	e.progress = nil
	event.About = e.path
	c.notify.Push(event)
}

// enqueueFileLocked queues a callback that takes only the file; on may be nil.
func (c *Client) enqueueFileLocked(name string, on func(*Client, FileInfo), e *entry, f *filelist.File) {
	if on == nil {
		return
	}
	info := e.snapshot(f)
	c.enqueueLocked(e, &notify.Event{Name: name, Call: func() { on(c, info) }})
}

// reportsProgress reports whether anybody wants to know of the file's progress.
func (c *Client) reportsProgress(e *entry) bool {
	return c.opts.Callbacks.OnProgress != nil || e.extras.onProgress() != nil
}

// enqueueProgressLocked queues an OnProgress, or updates the one that waits.
func (c *Client) enqueueProgressLocked(e *entry, f *filelist.File) {
	if c.reportsProgress(e) {
		c.enqueueProgressOfLocked(e, e.snapshot(f))
	}
}

// callProgress calls the callbacks for the progress of a file: the client's, and its own.
func (c *Client) callProgress(e *entry, info FileInfo) {
	if on := c.opts.Callbacks.OnProgress; on != nil {
		on(c, info, info.Uploaded, info.Size)
	}
	if on := e.extras.onProgress(); on != nil {
		on(info)
	}
}

func (c *Client) enqueueProgressOfLocked(e *entry, info FileInfo) {
	e.reportedUploaded, e.reportedSize = info.Uploaded, info.Size
	if p := e.progress; p != nil && c.notify.Update(&p.Event, func() { p.info = info }) {
		return
	}
	p := &progressEvent{info: info}
	p.Event = notify.Event{Name: "OnProgress", Call: func() { c.callProgress(e, p.info) }}
	c.enqueueLocked(e, &p.Event)
	e.progress = p
}

// enqueueRetryLocked queues an OnRetry, unless too many wait already: further ones are
// only logged.
func (c *Client) enqueueRetryLocked(e *entry, f *filelist.File, r Retry) {
	if on := c.opts.Callbacks.OnRetry; on != nil {
		info := e.snapshot(f)
		c.enqueueLocked(e, &notify.Event{Name: "OnRetry", Limited: true, Call: func() { on(c, info, r) }})
	}
}

func (c *Client) enqueueFinishedLocked() {
	if on := c.opts.Callbacks.OnFinished; on != nil {
		c.notify.Push(&notify.Event{Name: "OnFinished", Call: func() { on(c) }})
	}
}

// enqueueEndLocked queues the callbacks of a file's start and end.
func (c *Client) enqueueEndLocked(e *entry, effect filelist.Effect) {
	f, _ := c.list.Get(effect.File)
	on := &c.opts.Callbacks
	switch effect.Event {
	case filelist.EventStarted:
		e.reportedUploaded = -1
		c.enqueueFileLocked("OnStarted", on.OnStarted, e, &f)
	case filelist.EventCanceled:
		c.enqueueFileLocked("OnCanceled", on.OnCanceled, e, &f)
	case filelist.EventSucceeded:
		c.enqueueLastProgressLocked(e, f)
		if on := on.OnSucceeded; on != nil {
			info := e.snapshot(&f)
			c.enqueueLocked(e, &notify.Event{Name: "OnSucceeded", Call: func() { on(c, info, *info.Result) }})
		}
	case filelist.EventFailed:
		info := e.snapshot(&f)
		e.err = newError(&info, effect.Err)
		info.Err = e.err
		if on := on.OnFailed; on != nil && !effect.Silent {
			c.enqueueLocked(e, &notify.Event{Name: "OnFailed", Call: func() { on(c, info, info.Err) }})
		}
	}
}

// enqueueLastProgressLocked reports all bytes of a file before its success.
func (c *Client) enqueueLastProgressLocked(e *entry, f filelist.File) {
	if !c.reportsProgress(e) || e.reportedUploaded == f.Size && e.reportedSize == f.Size {
		return
	}
	info := e.snapshot(&f)
	info.State, info.Result, info.Ended = FileUploading, nil, time.Time{}
	c.enqueueProgressOfLocked(e, info)
}
