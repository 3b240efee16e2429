package upload

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// Close ends all that is under way and waits for it, for callbacks as well unless it
// is called from within one: at most for Options.CleanupTimeout and a second more. Checkpoints stay, so
// that the next client resumes; files that were started and did not end fail with
// [ErrClosed]. The error says what did not end in time. A second call returns
// ErrClosed.
//
// A Read of a [File.Reader] that is under way cannot be ended: Close waits a second for
// it, and leaves it to return later, without an error.
func (c *Client) Close() error {
	inside := c.notify.Inside()
	err := c.decide(func(l *filelist.List) error {
		err := l.Do(filelist.Close, ErrClosed)
		if err == nil {
			c.start.stop()
		}
		return err
	})
	if err != nil {
		return err
	}
	return target.Join(c.awaitAll(inside), c.release())
}

// awaitAll waits, not for ever, for what Close has ended.
func (c *Client) awaitAll(inside bool) error {
	// A clean-up that began just before has CleanupTimeout of its own.
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.CleanupTimeout+time.Second)
	defer cancel()
	var late []string
	if c.await(ctx, &c.changed, func(l *filelist.List) bool { return busyFiles(l) == "" }) != nil {
		c.view(func(l *filelist.List) { late = append(late, busyFiles(l)+c.hangsLocked()) })
	}
	c.workers.end(ErrClosed)
	c.workers.Close()
	if !c.workers.Wait(ctx) && len(late) == 0 {
		late = append(late, "the Provider of Options.Credentials, the Authorizer, or the Close of a Reader has not returned")
	}
	c.awaitReads()
	if !inside && !c.notify.Idle(ctx) {
		late = append(late, c.notify.Busy())
	}
	if len(late) == 0 {
		return nil
	}
	return fmt.Errorf("upload: Close gave up waiting after %v: %s", c.opts.CleanupTimeout, strings.Join(late, "; "))
}

// awaitReads waits a second for the Reads of Readers whose files have ended. Nothing is
// lost with one that does not return: that of a terminal, or of a pipe, may never.
func (c *Client) awaitReads() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if !c.workers.reads.Wait(ctx) {
		c.opts.Logger.Warn("a Read of a File.Reader has not returned yet: the Reader is closed when it does")
	}
}

// busyFiles says how many files are still at work; it is empty if none is.
func busyFiles(l *filelist.List) string {
	running, cleaning := l.Busy()
	if running+cleaning == 0 {
		return ""
	}
	return fmt.Sprintf("%d files have not ended, %d are being cleaned up after", running, cleaning)
}

// hangsLocked says in which calls of their sources files hang.
func (c *Client) hangsLocked() string {
	var b strings.Builder
	for _, e := range c.entries {
		if step := e.steps.Oldest(); step != "" {
			fmt.Fprintf(&b, ", %s: %s", e.path, step)
		}
	}
	return b.String()
}

// release gives back what the client holds.
func (c *Client) release() error {
	c.service.CloseIdle()
	if c.ownStore {
		return c.store.Close()
	}
	return nil
}
