package upload

import "github.com/vodupload/vodupload/upload/internal/filelist"

// CancelFile ends a file: what is in flight is interrupted, the upload aborted at the
// server, within Options.CleanupTimeout, and the checkpoint deleted. It does not wait
// for that; then OnCanceled is called. A file that has ended cannot be canceled: that
// is [ErrState]. One whose last request has just succeeded still succeeds.
func (c *Client) CancelFile(id FileID) error {
	return c.decide(func(l *filelist.List) error { return l.Cancel(filelist.ID(id), ErrCanceled) })
}

// DeleteFile takes a file out of the list. One that has not ended is canceled as by
// CancelFile, and OnCanceled is called unless it was never started; what a failed one
// left at the server and on disk is removed. It does not wait for that.
func (c *Client) DeleteFile(id FileID) error {
	return c.decide(func(l *filelist.List) error { return l.Delete(filelist.ID(id), ErrCanceled) })
}

// ClearFiles deletes all files of the list as DeleteFile does.
func (c *Client) ClearFiles() error {
	return c.decide(func(l *filelist.List) error { return l.Clear(ErrCanceled) })
}
