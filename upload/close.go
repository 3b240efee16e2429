package upload

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// Close ends all that is under way and waits for its end, at most for
// Options.CleanupTimeout and a second more. It waits for callbacks as well, unless it is
// called from one. Checkpoints are kept, so that the next client resumes; files that
// were started and have not ended fail with [ErrClosed]. The error says what did not
// end in time. A second call returns ErrClosed.
//
// A Read of a [File.Reader] that is under way cannot be interrupted: Close waits a
// second for it; one that takes longer is not an error.
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

// awaitAll waits for the end of all that Close interrupts, for a limited time.
func (c *Client) awaitAll(inside bool) error {
	// A clean-up that began just before has a CleanupTimeout of its own.
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

// awaitReads waits a second for the Reads of Readers whose files have ended. That one
// does not return is no error: a Read of a terminal or of a pipe may never do so, and its
// bytes are not needed.
func (c *Client) awaitReads() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if !c.workers.reads.Wait(ctx) {
		c.opts.Logger.Warn("a Read of a File.Reader has not returned yet: the Reader is closed when it does")
	}
}

// busyFiles says how many files are running or being cleaned up after; it is empty if
// there are none.
func busyFiles(l *filelist.List) string {
	running, cleaning := l.Busy()
	if running+cleaning == 0 {
		return ""
	}
	return fmt.Sprintf("%d files have not ended, %d are being cleaned up after", running, cleaning)
}

// hangsLocked says in which calls of the user's code files hang.
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
