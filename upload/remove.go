package upload

import (
	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// CancelFile ends a file: its requests are interrupted, its upload is aborted at the
// server within Options.CleanupTimeout, and its checkpoint is deleted. CancelFile does
// not wait for that; OnCanceled is called afterwards. It returns [ErrState] for a file
// that has ended. A file whose last request has just succeeded still succeeds.
func (c *Client) CancelFile(id FileID) error {
	return c.decideOn(id, "CancelFile", func(l *filelist.List) error { return l.Cancel(filelist.ID(id), ErrCanceled) })
}

// DeleteFile removes a file from the list. A file that has not ended is canceled as by
// CancelFile, and OnCanceled is called unless it was never started; what a failed one
// has left at the server and on disk is removed. DeleteFile does not wait for that.
func (c *Client) DeleteFile(id FileID) error {
	return c.decide(func(l *filelist.List) error {
		if state, shelved := c.shared.shelf.state(id); shelved && l.State() != filelist.Closed {
			if state == FileSucceeded {
				c.shared.shelf.remove(id)
				return nil
			}
			c.takeDownLocked(id)
		}
		return l.Delete(filelist.ID(id), ErrCanceled)
	})
}

// ClearFiles deletes all files of the list as DeleteFile does.
func (c *Client) ClearFiles() error {
	return c.decide(func(l *filelist.List) error {
		if l.State() != filelist.Closed {
			c.clearShelfLocked()
		}
		return l.Clear(ErrCanceled)
	})
}
