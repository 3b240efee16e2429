package upload

import (
	"context"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// observed returns a context whose requests are of a file, where somebody observes.
func (c *Client) observed(ctx context.Context, id FileID) context.Context {
	if c.opts.Observer == nil {
		return ctx
	}
	return context.WithValue(ctx, fileKey{}, id)
}

// observeStart returns the context of a run.
func (r *run) observeStart(ctx context.Context) context.Context {
	o := r.c.opts.Observer
	if o == nil {
		return ctx
	}
	ctx = r.c.observed(ctx, r.e.id)
	if o.FileStart != nil {
		ctx = given(o.FileStart(ctx, r.info()), ctx)
	}
	return ctx
}

// observeEnd reports the end of a run, with what it has left the file as.
func (r *run) observeEnd(ctx context.Context) {
	if o := r.c.opts.Observer; o != nil && o.FileEnd != nil {
		o.FileEnd(ctx, r.last)
	}
}

// lastLocked is what the file is when the run has ended. It may leave the list at once.
func (r *run) lastLocked(l *filelist.List, before filelist.File, o filelist.Outcome) FileInfo {
	f, listed := l.Get(r.id)
	if !listed {
		f = before
	}
	info := r.e.snapshot(&f)
	if o.Err != nil && !o.Interrupted {
		info.Err = newError(&info, o.Err)
	}
	return info
}

// emitter returns what gets the events of the transfer.
func (r *run) emitter(ctx context.Context) func(transfer.Event) {
	o := r.c.opts.Observer
	if o == nil || o.Resumed == nil {
		return r.report
	}
	return func(ev transfer.Event) {
		r.report(ev)
		if len(ev.Resumed) > 0 {
			o.Resumed(ctx, r.info(), ev.Resumed)
		}
	}
}
