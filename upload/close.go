package upload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// Close is [Client.Shutdown] for at most Options.CleanupTimeout and a second more.
func (c *Client) Close() error {
	// A clean-up that began just before has a CleanupTimeout of its own.
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.CleanupTimeout+time.Second)
	defer cancel()
	return c.shutdown(ctx, func() string {
		return fmt.Sprintf("upload: Close gave up waiting after %v", c.opts.CleanupTimeout)
	})
}

// Shutdown ends all that is under way, and waits for its end until ctx ends. It waits for
// callbacks as well, unless it is called from one. Unlike the Shutdown of a server of
// package http, it does not wait until files are uploaded: call Wait before for that.
// Checkpoints are kept, so that the next client resumes; files that were started and have
// not ended fail with [ErrClosed].
//
// When ctx ends before, clean-ups at the server that are under way are cut off, and
// Shutdown returns at most a second later. Its error says what had not ended, and is the
// cause of ctx. The client is closed all the same, also by a ctx that has ended already.
// A second call, of Close or Shutdown, returns ErrClosed at once.
//
// A Read of a [File.Reader] that is under way cannot be interrupted: Shutdown waits a
// second for it; one that takes longer is not an error.
func (c *Client) Shutdown(ctx context.Context) error {
	err := c.shutdown(ctx, func() string { return "upload: Shutdown gave up waiting" })
	if ctx.Err() != nil && err != nil && !errors.Is(err, ErrClosed) {
		return fmt.Errorf("%w: %w", err, context.Cause(ctx))
	}
	return err
}

// shutdown closes the client, and waits until ctx ends. gaveUp begins the error of what
// has not ended by then.
func (c *Client) shutdown(ctx context.Context, gaveUp func() string) error {
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
	late := c.awaitAll(ctx, inside)
	if len(late) > 0 {
		err = fmt.Errorf("%s: %s", gaveUp(), strings.Join(late, "; "))
	}
	return target.Join(err, c.release())
}

// awaitAll waits for the end of all that Close interrupts, until ctx ends. It returns what
// has not ended.
func (c *Client) awaitAll(ctx context.Context, inside bool) (late []string) {
	if c.await(ctx, &c.changed, func(l *filelist.List) bool { return busyFiles(l) == "" }) != nil {
		c.view(func(l *filelist.List) { late = append(late, busyFiles(l)+": "+c.busyPathsLocked(l)) })
	}
	c.workers.end(ErrClosed)
	c.workers.Close()
	ended := c.workers.Wait(ctx)
	// What was cut off just now ends by itself.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), interruptGrace)
	defer cancel()
	if !ended && !c.workers.Wait(grace) && len(late) == 0 {
		late = append(late, "the Provider of Options.Credentials, the Authorizer, or the Close of a Reader has not returned")
	}
	c.awaitReads(grace)
	if !inside && !c.notify.Idle(ctx) && !c.notify.Idle(grace) {
		late = append(late, cmp.Or(c.notify.Busy(), "callbacks have not been called yet"))
	}
	return late
}

// awaitReads waits until ctx ends for the Reads of Readers whose files have ended. That
// one does not return is no error: a Read of a terminal or of a pipe may never do so, and
// its bytes are not needed.
func (c *Client) awaitReads(ctx context.Context) {
	if !c.workers.reads.Wait(ctx) {
		c.opts.Logger.Warn("a Read of a File.Reader has not returned yet: the Reader is closed when it does")
	}
}

// busyFiles says how many files are running or being cleaned up after; it is empty if
// there are none.
func busyFiles(l *filelist.List) string {
	var parts []string
	running, cleaning := l.Busy()
	if running > 0 {
		parts = append(parts, counted(running, "file has not ended", "files have not ended"))
	}
	if cleaning > 0 {
		parts = append(parts, counted(cleaning, "clean-up has not ended", "clean-ups have not ended"))
	}
	return strings.Join(parts, ", ")
}

// busyPathsLocked names some of the files that are running or being cleaned up after, and
// the calls of the user's code that have not returned. Those that have such a call come
// first.
func (c *Client) busyPathsLocked(l *filelist.List) string {
	const shown = 3
	var hang, others []string
	for id, e := range c.entries {
		f, _ := l.Get(filelist.ID(id))
		step := e.steps.Oldest()
		switch {
		case step != "":
			hang = append(hang, e.path+": "+step)
		case f.Running(), f.Phase == filelist.Cleaning:
			others = append(others, e.path)
		}
	}
	slices.Sort(hang)
	slices.Sort(others)
	all := append(hang, others...)
	if len(all) > shown {
		all = append(all[:shown], fmt.Sprintf("and %d more", len(all)-shown))
	}
	return target.Line(strings.Join(all, ", "))
}

// release gives back what the client holds.
func (c *Client) release() error {
	c.service.CloseIdle()
	if c.ownStore {
		return c.store.Close()
	}
	return nil
}
