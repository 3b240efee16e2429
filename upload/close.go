package upload

import (
	"context"
	"fmt"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// Close ends all that is under way and waits for it, for callbacks as well unless it
// is called from within one: at most for Options.CleanupTimeout. Checkpoints stay, so
// that the next client resumes; files that were started and did not end fail with
// [ErrClosed]. The error says what did not end in time. A second call returns
// ErrClosed.
//
// A Read of a [File.Reader] that is under way cannot be ended: Close waits a second for
// it, and leaves it to return later, without an error.
func (c *Client) Close() error {
	inside := c.inCallback()
	c.mu.Lock()
	to, err := c.state.next(doClose)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.state = to
	c.stopWatching()
	for f := c.order.first; f != nil; f = f.next {
		c.shut(f)
	}
	c.settle()
	c.mu.Unlock()
	return target.Join(c.awaitAll(inside), c.release())
}

// shut ends a file for Close. It is called with the lock held.
func (c *Client) shut(f *file) {
	switch {
	case f.running():
		c.interrupt(f, toClose, ErrClosed)
	case f.info.State.terminal():
	case f.begun, f.solo:
		c.failed(f, newError(&f.info, ErrClosed))
	default:
		c.closeReader(f)
	}
}

// awaitAll waits, not for ever, for what Close has ended.
func (c *Client) awaitAll(inside bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.CleanupTimeout)
	defer cancel()
	var late []string
	if c.await(ctx, &c.changed, func() bool { return c.active+c.cleaning == 0 }) != nil {
		late = append(late, c.stillRunning())
	}
	c.end(ErrClosed)
	c.workers.Close()
	if !c.workers.Wait(ctx) && len(late) == 0 {
		late = append(late, "the Provider of Options.Credentials, the Authorizer, or the Close of a Reader has not returned")
	}
	c.awaitReads()
	if !inside && !c.callers.Wait(ctx) {
		late = append(late, c.busyWith())
	}
	if len(late) == 0 {
		return nil
	}
	return fmt.Errorf("upload: Close gave up waiting after %v: %s", c.opts.CleanupTimeout, strings.Join(late, "; "))
}

// awaitReads waits a moment for the Reads of Readers whose files have ended. Nothing is
// lost with one that does not return: that of a terminal, or of a pipe, may never.
func (c *Client) awaitReads() {
	ctx, cancel := context.WithTimeout(context.Background(), short)
	defer cancel()
	if !c.reads.Wait(ctx) {
		c.opts.Logger.Warn("a Read of a File.Reader has not returned yet: the Reader is closed when it does")
	}
}

func (c *Client) stillRunning() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d files have not ended, %d are being cleaned up after", c.active, c.cleaning)
}

// release gives back what the client holds.
func (c *Client) release() error {
	c.service.CloseIdle()
	if c.ownsIt {
		return c.store.Close()
	}
	return nil
}
