package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// takeDownLocked puts a file that is on the shelf and has not succeeded back into the
// list, for a call that may change it. With c.list.LeaveAgain, it returns to the shelf
// unless it has changed.
func (c *Client) takeDownLocked(id FileID) {
	e, left := c.shared.shelf.remove(id)
	c.entries[id] = e
	c.list.Return(left)
}

// decideOn is decide for a call about one file. A file on the shelf is back in the list for
// it; one that has succeeded is [ErrState].
func (c *Client) decideOn(id FileID, call string, fn func(*filelist.List) error) error {
	return c.decide(func(l *filelist.List) error {
		state, shelved := c.shared.shelf.state(id)
		switch {
		case !shelved, l.State() == filelist.Closed:
			return fn(l)
		case state == FileSucceeded:
			return fmt.Errorf("%w: %s, the file is %s", ErrState, call, state)
		}
		c.takeDownLocked(id)
		defer l.LeaveAgain(filelist.ID(id))
		return fn(l)
	})
}

// clearShelfLocked takes all files from the shelf. Those that have left something behind go
// back into the list, for it to be removed, and so do those that others count on.
func (c *Client) clearShelfLocked() {
	s := &c.shared.shelf
	for id, one := range s.files {
		if one.text.head().leftover || one.isBound() {
			c.takeDownLocked(id)
		}
	}
	s.clear()
}

// leave moves a file that has ended from the list to the shelf; with Options.ForgetEnded it
// is gone. A file that was set back since stays.
func (c *Client) leave(e *entry, end int) {
	_ = c.decide(func(l *filelist.List) error {
		if left, ok := l.Leave(filelist.ID(e.id), end, e.err); ok && !c.opts.ForgetEnded {
			c.shared.shelf.put(e, &left)
		}
		return nil
	})
}
