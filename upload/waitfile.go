package upload

import (
	"context"
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// WaitFile returns the result of one file, once it has ended and the callbacks about it
// have returned; in a callback it does not wait for those. Many may wait for the same
// file. The error is
//
//   - the [*Error] of a file that failed; of one that was canceled or deleted, it is
//     [ErrCanceled],
//   - [ErrFileNotExist] for an ID that is not in the list: of a file that was deleted
//     before the call, too, or that has left the list by then: one of Upload, or with
//     Options.ForgetEnded any one that has ended (call Upload there if you need the end),
//   - [ErrState] if the client was not started, [ErrStopped] if it is stopped and
//     [ErrClosed] if it was closed before the file was started,
//   - the cause of the end of ctx, which has no effect on the file, with what the file
//     waits for, if it does.
//
// A file that ResumeFile sets back has another end: a WaitFile that began before returns
// the first.
func (c *Client) WaitFile(ctx context.Context, id FileID) (Result, error) {
	var end *fileEnd
	var shelved FileInfo
	var ok bool
	err := c.decide(func(l *filelist.List) error {
		if shelved, ok = c.shared.shelf.get(id); ok {
			return nil
		}
		if err := l.Watch(filelist.ID(id)); err != nil {
			return err
		}
		e := c.entries[id]
		if e.end == nil {
			e.end = newFileEnd()
		}
		end = e.end
		return nil
	})
	if err != nil {
		return Result{}, err
	}
	if ok {
		return (&fileEnd{info: shelved}).outcome()
	}
	if err := c.awaitRest(ctx, end); err != nil {
		return Result{}, c.waitedForBy(id, err)
	}
	c.awaitCallbacks(ctx, end.mark)
	return end.outcome()
}

// awaitRest waits until a file has come to rest. The error is the cause of ctx's end, or
// [ErrClosed] where the client was closed and the file has not ended in time.
func (c *Client) awaitRest(ctx context.Context, end *fileEnd) error {
	var cause error
	select {
	case <-end.done:
		return nil
	case <-ctx.Done():
		cause = context.Cause(ctx)
	case <-c.workers.ctx.Done():
		cause = ErrClosed
	}
	select {
	case <-end.done: // at the same time
		return nil
	default:
	}
	if busy := c.notify.Busy(); busy != "" {
		return fmt.Errorf("upload: WaitFile: %w (%s)", cause, busy)
	}
	return fmt.Errorf("upload: WaitFile: %w", cause)
}
