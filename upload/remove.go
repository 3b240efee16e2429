package upload

import "fmt"

// CancelFile ends a file: what is in flight is stopped, the upload aborted at the
// server, and the checkpoint deleted. It waits for that up to a second; what takes
// longer goes on until Options.CleanupTimeout. Then OnCanceled is called. A file
// that has ended cannot be canceled: that is [ErrState], also if it ends while it is
// being canceled.
func (c *Client) CancelFile(id FileID) error {
	c.mu.Lock()
	f, err := c.find(id)
	if err == nil {
		_, err = f.snapshot().State.next(fileCancel)
	}
	if err != nil {
		c.mu.Unlock()
		return err
	}
	turn := f.turn
	c.cancel(f)
	c.settle()
	c.mu.Unlock()

	var succeeded bool
	c.awaitShort(&f.changed, func() bool {
		succeeded = f.info.State == FileSucceeded
		return !f.busy || f.turn != turn
	})
	if succeeded {
		return fmt.Errorf("%w: %s, the file has just %s", ErrState, fileCancel, FileSucceeded)
	}
	return nil
}

// DeleteFile takes a file out of the list. One that has not ended is canceled as by
// CancelFile, and OnCanceled is called unless it was never started; what a failed one
// left at the server and on disk is taken away. It waits up to a second for that.
func (c *Client) DeleteFile(id FileID) error {
	c.mu.Lock()
	f, err := c.find(id)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.remove(f)
	c.settle()
	c.mu.Unlock()
	c.awaitShort(&f.changed, func() bool { return !f.busy })
	return nil
}

// ClearFiles deletes all files of the list as DeleteFile does.
func (c *Client) ClearFiles() error {
	c.mu.Lock()
	if c.state == Closed {
		c.mu.Unlock()
		return ErrClosed
	}
	var busy []*file
	for f := c.order.first; f != nil; f = c.order.first {
		c.remove(f)
		if f.busy {
			busy = append(busy, f)
		}
	}
	c.settle()
	c.mu.Unlock()
	c.awaitShort(&c.changed, func() bool {
		for len(busy) > 0 && !busy[0].busy {
			busy = busy[1:]
		}
		return len(busy) == 0
	})
	return nil
}

// remove takes a file out of the list and ends what is left of it. It is called with
// the lock held.
func (c *Client) remove(f *file) {
	_, err := f.info.State.next(fileCancel)
	switch {
	case err == nil && (f.begun || f.solo):
		c.cancel(f)
	case f.leftover && !f.busy:
		c.cleanUp(f, nil)
	case !f.busy:
		c.over(f)
	}
	c.delist(f)
}

// cancel begins to cancel a file that has not ended. It is called with the lock held.
func (c *Client) cancel(f *file) {
	if f.running() {
		c.interrupt(f, toCancel, ErrCanceled)
		return
	}
	c.must(f, fileCancel)
	c.afterCancel(f)
}
