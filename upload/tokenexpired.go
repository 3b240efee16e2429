package upload

import (
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
)

// tokenExpired asks the user for the next token if g needs one: once for each token,
// however many files need it.
func (c *Client) tokenExpired(e *entry, g *credentials.Gate) {
	if !g.TakeQuestion() {
		return
	}
	on := c.opts.Callbacks.OnTokenExpired
	c.view(func(l *filelist.List) {
		var f filelist.File
		if e != nil {
			f, _ = l.Get(filelist.ID(e.id))
		}
		if on == nil || g.Provided() || l.State() == filelist.Closed {
			return // nobody to ask, or nobody who could answer
		}
		c.shared.counters.tokens.Asked.Add(1)
		if f.Begun {
			c.enqueueFileLocked("OnTokenExpired", on, e, &f)
			return
		}
		// No callback may follow the end of a file; or there is no file.
		c.notify.Push(&notify.Event{Name: "OnTokenExpired", Call: func() { on(c, FileInfo{}) }})
	})
	if e == nil {
		c.opts.Logger.Warn("token expired")
		return
	}
	c.opts.Logger.Warn("token expired", c.attrs(e)...)
}

// canGetToken reports whether the user can be asked for a token of the file's own: the
// file is in the list, and its end was not reported yet.
func (c *Client) canGetToken(e *entry) bool {
	return c.is(func(l *filelist.List) bool {
		f, listed := l.Lookup(filelist.ID(e.id))
		return listed && f.Begun
	})
}
