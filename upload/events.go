package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
)

// A progressEvent is an OnProgress that can be brought up to date while it waits for
// its delivery.
type progressEvent struct {
	notify.Event
	info FileInfo
}

// enqueue queues a callback about a file. A progress event that still waits stays as
// it is: it must not report what comes after this one.
func (c *Client) enqueue(e *entry, event *notify.Event) {
	e.progress = nil
	event.About = e.path
	c.notify.Push(event)
}

// enqueueFile queues a callback that takes nothing but the file, if the user wants it.
func (c *Client) enqueueFile(name string, on func(*Client, FileInfo), e *entry, f *filelist.File) {
	if on == nil {
		return
	}
	info := e.snapshot(f)
	c.enqueue(e, &notify.Event{Name: name, Call: func() { on(c, info) }})
}

// enqueueProgress queues an OnProgress, or brings the one that waits up to date.
func (c *Client) enqueueProgress(e *entry, info FileInfo) {
	on := c.opts.Callbacks.OnProgress
	if on == nil {
		return
	}
	e.toldUploaded, e.toldSize = info.Uploaded, info.Size
	p := e.progress
	if p != nil && c.notify.Update(&p.Event, func() { p.info = info }) {
		return
	}
	p = &progressEvent{info: info}
	p.Event = notify.Event{Name: "OnProgress", Call: func() { on(c, p.info, p.info.Uploaded, p.info.Size) }}
	c.enqueue(e, &p.Event)
	e.progress = p
}

// enqueueRetry queues an OnRetry, unless too many wait already: those are only logged.
func (c *Client) enqueueRetry(e *entry, f *filelist.File, r Retry) {
	if on := c.opts.Callbacks.OnRetry; on != nil {
		info := e.snapshot(f)
		c.enqueue(e, &notify.Event{Name: "OnRetry", Limited: true, Call: func() { on(c, info, r) }})
	}
}

func (c *Client) enqueueFinished() {
	if on := c.opts.Callbacks.OnFinished; on != nil {
		c.notify.Push(&notify.Event{Name: "OnFinished", Call: func() { on(c) }})
	}
}

// enqueueEnd queues the callbacks of a file's start and end.
func (c *Client) enqueueEnd(e *entry, effect filelist.Effect) {
	f, _ := c.list.Get(effect.File)
	on := &c.opts.Callbacks
	switch effect.Event {
	case filelist.EventStarted:
		e.toldUploaded = -1
		c.enqueueFile("OnStarted", on.OnStarted, e, &f)
	case filelist.EventCanceled:
		c.enqueueFile("OnCanceled", on.OnCanceled, e, &f)
	case filelist.EventSucceeded:
		c.enqueueLastProgress(e, f)
		if on := on.OnSucceeded; on != nil {
			info := e.snapshot(&f)
			c.enqueue(e, &notify.Event{Name: "OnSucceeded", Call: func() { on(c, info, *info.Result) }})
		}
	case filelist.EventFailed:
		info := e.snapshot(&f)
		e.err = newError(&info, effect.Err)
		info.Err = e.err
		if on := on.OnFailed; on != nil && !effect.Silent {
			c.enqueue(e, &notify.Event{Name: "OnFailed", Call: func() { on(c, info, info.Err) }})
		}
	}
}

// enqueueLastProgress reports all bytes of a file before its success.
func (c *Client) enqueueLastProgress(e *entry, f filelist.File) {
	if e.toldUploaded == f.Size && e.toldSize == f.Size {
		return
	}
	info := e.snapshot(&f)
	info.State, info.Result, info.Ended = FileUploading, nil, time.Time{}
	c.enqueueProgress(e, info)
}
