package upload

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// Wait returns when the client is finished and all callbacks up to then have returned;
// it does not wait for callbacks if it is called from one. It does not wait for files of
// Upload. Wait reports what failed since the last Wait: what one has returned, a later one
// does not return again. Two that wait at the same time both return it. The error is
//
//   - nil if all files that ended since succeeded or were canceled,
//   - an [Errors] if some failed and are still failed; with Options.ForgetEnded an error
//     that wraps it, if it has the first 1,000 and more failed,
//   - [ErrStopped] if the client was stopped before it was finished, with the end of
//     Start's context as its cause if that stopped it; Files has what failed by then,
//   - [ErrState] if the client was not started,
//   - [ErrClosed] if it was closed before it was finished,
//   - the cause of the end of ctx, with what files wait for, if any do.
func (c *Client) Wait(ctx context.Context) error {
	w := waitCall{c: c, inside: c.notify.Inside()}
	c.view(func(l *filelist.List) { w.mark = l.Mark() })
	defer c.view(func(l *filelist.List) { l.EndWait(w.mark) })
	for {
		if err := c.await(ctx, &c.changed, w.over); err != nil {
			return c.waitEnded(err)
		}
		if w.settled {
			return w.err
		}
		if err := c.notify.Wait(ctx, w.events); err != nil {
			return c.waitEnded(err)
		}
	}
}

// A waitCall is one call of Wait.
type waitCall struct {
	c       *Client
	inside  bool // of a callback
	mark    filelist.Mark
	work    int    // the list's count of new work when everything had ended; see over
	events  uint64 // the mark of all callbacks by then; 0 while something has not ended
	settled bool
	err     error
}

// over reports whether nothing of the list is under way. It is settled if that was so
// before the callbacks returned, and none of them gave the list new work.
func (w *waitCall) over(l *filelist.List) bool {
	verdict := l.Over(w.mark)
	if verdict == filelist.NotOver {
		w.events = 0
		return false
	}
	quiet := verdict != filelist.NeverBegan && verdict != filelist.WasClosed
	if quiet && !w.inside && (w.events == 0 || w.work != l.Work()) {
		w.work, w.events = l.Work(), w.c.notify.Mark()
		if w.events > 0 {
			return true
		}
	}
	w.settled, w.err = true, w.outcome(l, verdict)
	return true
}

func (w *waitCall) outcome(l *filelist.List, verdict filelist.Verdict) error {
	switch verdict {
	case filelist.NeverBegan:
		return fmt.Errorf("%w: Wait, the client is %s: call Start first", ErrState, l.State())
	case filelist.WasClosed:
		return ErrClosed
	case filelist.WasStopped:
		return l.Cause()
	}
	all, more := l.Failures(w.mark, w.c.shared.shelf.failures)
	var failed Errors
	for _, f := range all {
		err, left := f.Err.(*Error)
		if !left {
			err = w.c.errorLocked(FileID(f.ID))
		}
		failed = append(failed, err)
	}
	switch {
	case more > 0:
		return &moreErrors{failed, more}
	case len(failed) > 0:
		return failed
	}
	return nil
}

// errorLocked returns the error of a file that has failed.
func (c *Client) errorLocked(id FileID) *Error {
	if info, shelved := c.shared.shelf.get(id); shelved {
		return info.Err
	}
	return c.entries[id].err
}

// waitEnded returns the error of a Wait whose context has ended. If that is Start's
// context as well, the error is ErrStopped, whether or not the client has stopped yet.
func (c *Client) waitEnded(cause error) error {
	var stopCause error // nil: the client is not stopped
	var ended bool
	var waits queueWaits
	c.view(func(l *filelist.List) {
		if l.State() == filelist.Stopped {
			stopCause = l.Cause()
		}
		ended, waits = c.start.ended(), c.queueWaitsLocked(l)
	})
	var text error
	switch {
	case stopCause != nil && errors.Is(stopCause, cause):
		text = fmt.Errorf("upload: Wait: %w", stopCause)
	case ended:
		text = waits.of(fmt.Errorf("upload: Wait: %w: %w", ErrStopped, cause))
	default:
		text = waits.of(fmt.Errorf("upload: Wait: %w", cause))
	}
	if busy := c.notify.Busy(); busy != "" {
		return fmt.Errorf("%w (%s)", text, busy)
	}
	return text
}

// moreErrors are the errors of files, and how many others have failed. Wait makes it under
// the client's lock, and its text later: that asks errors of users.
type moreErrors struct {
	kept Errors
	more int
}

func (m *moreErrors) Error() string {
	return fmt.Sprintf("%v; and %d other files, which OnFailed has reported", m.kept, m.more)
}

func (m *moreErrors) Unwrap() error { return m.kept }
