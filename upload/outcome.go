package upload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// runEnded takes what became of a run, and returns whether it was interrupted.
func (c *Client) runEnded(f *file, res transfer.Result, err error, took time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	why, cause := f.intent, f.cause
	f.cancel(nil)
	f.cancel, f.intent, f.cause = nil, goOn, nil
	c.active--
	c.occupy(f, -1)
	interrupted := why == toCancel || why != goOn && isInterruption(err, cause)
	switch {
	case err == nil:
		c.succeeded(f, res, took)
	case !interrupted:
		f.leftover = f.leftover && f.stream == nil && !errors.Is(err, ErrInUse)
		c.failed(f, newError(&f.info, err))
	case why == toCancel:
		c.must(f, fileCancel)
		c.afterCancel(f)
	case why == toPause:
		c.must(f, filePause)
	case why == toStop && !f.solo:
		c.must(f, fileStop)
	default:
		c.failed(f, newError(&f.info, causeFirst(cause, err)))
	}
	c.settle()
	return interrupted
}

// isInterruption tells the end that a run was interrupted for from a failure that
// happened to come at the same time. Not all that a run calls knows the cause.
func isInterruption(err, cause error) bool {
	return errors.Is(err, cause) || errors.Is(err, errPaused) || errors.Is(err, ErrStopped) || errors.Is(err, context.Canceled)
}

// causeFirst is the error of a file that ends for cause, where the run may have been
// interrupted for something weaker before.
func causeFirst(cause, err error) error {
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w; before that: %w", cause, err)
}

func (c *Client) succeeded(f *file, r transfer.Result, took time.Duration) {
	i := &f.info
	i.Size, i.Uploaded, i.InFlight = r.Size, r.Size, 0
	if f.uploaded != r.Size || f.total != r.Size {
		c.tellProgress(f)
	}
	i.Result = &Result{
		Endpoint: i.Endpoint, Bucket: i.Bucket, Object: i.Object,
		Location: f.target().URL(), ETag: r.ETag, VersionID: r.VersionID, CRC64: r.CRC64, Verified: r.Verified,
		Size: r.Size, Parts: r.Parts, ResumedParts: r.ResumedParts, ResumedBytes: r.ResumedBytes,
		SentBytes: r.SentBytes, Duration: took, CallbackBody: r.CallbackBody,
		VideoID: i.VideoID, MediaID: i.MediaID, MediaURL: i.MediaURL,
	}
	c.must(f, fileSucceed)
	f.leftover = false
	on := c.opts.Callbacks.OnSucceeded
	c.tell("OnSucceeded", f, on != nil, func(e *event) { on(c, e.info, *e.info.Result) })
	c.over(f)
}

// failed ends a file with an error. What it leaves stays, for another try; of a
// Reader there can be none.
func (c *Client) failed(f *file, err *Error) {
	f.info.Err = err
	c.must(f, fileFail)
	on := c.opts.Callbacks.OnFailed
	c.tell("OnFailed", f, on != nil && f.begun, func(e *event) { on(c, e.info, e.info.Err) })
	c.over(f)
	if f.stream != nil && f.leftover {
		c.cleanUp(f, nil)
	}
}

// afterCancel takes away what a file that was canceled has left, and then tells of
// its end.
func (c *Client) afterCancel(f *file) {
	canceled := func() {
		on := c.opts.Callbacks.OnCanceled
		c.tell("OnCanceled", f, on != nil, func(e *event) { on(c, e.info) })
		c.over(f)
	}
	if f.leftover {
		c.cleanUp(f, canceled)
	} else {
		canceled()
	}
}

// over takes note that a file has ended.
func (c *Client) over(f *file) {
	f.begun = false
	c.closeReader(f)
	f.changed.Broadcast()
}

// closeReader closes the Reader that a file has: later, where a Read of it is under way.
func (c *Client) closeReader(f *file) {
	st := f.stream
	if st == nil {
		return
	}
	end := func() {
		st.Close()
		c.reads.Go(func() { <-st.Closed() })
	}
	if !c.workers.Go(end) {
		go end() // of a run that ended after Close had given up
	}
}
