package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// Upload uploads one file and returns its result, whether the client was started or
// not; while the client is paused, Upload waits. The file shares slots, credentials and
// callbacks with the list, comes before the files of the list, and leaves the list when
// it has ended.
//
// Upload returns when the file has ended and the callbacks about it have returned, or
// at most a second after the end of ctx. The end of ctx ends the file and keeps its
// checkpoint, so that the next Upload of the same file to the same destination resumes.
// Where Stop, CancelFile, DeleteFile, ClearFiles or Close ends the file, and a call of
// its source or of Options.Checkpoints hangs, Upload does not wait for that call for more
// than two seconds either. Two things may take longer than that second, and continue after
// Upload has returned: a call that hangs, since it cannot be interrupted, and the abort of
// what was sent of a Reader. OnFailed follows them. Until then the file stays in the list with
// its slot and its claim, and the same source to the same destination is
// ErrFileAlreadyExist; the error of Upload names the call. [Client.Close] waits for them.
//
// Requests, Sections of the source and an [Observer] get contexts with the values of ctx,
// those of traces for example.
//
// The error is an [*Error], or what AddFile would return, or the cause of ctx if that had
// ended before, or [ErrNoCredentials] as Start would return it. The same source to the
// same destination twice at the same time is [ErrFileAlreadyExist] in one client; in two
// clients or processes it is [ErrInUse] if the file has more than one part, or the store of
// checkpoints is shared.
func (c *Client) Upload(ctx context.Context, f File) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, fmt.Errorf("upload: Upload: %w", context.Cause(ctx))
	}
	if f.Group != nil {
		return Result{}, fmt.Errorf("%w: File.Group: Upload waits for no other files: use AddFile", ErrInvalidArgument)
	}
	e, size, err := c.newEntryWithin(ctx, f)
	if err != nil {
		return Result{}, err
	}
	if e.ownDestination && c.hasNoCredentials(e) {
		return Result{}, fmt.Errorf("%w: Upload: call Init before, or set Options.Credentials or File.Credentials", ErrNoCredentials)
	}
	end := newFileEnd()
	e.direct, e.end = newDirectEnd(ctx), end
	if _, err := c.add(e, addOptions(&f, e, size)); err != nil {
		return Result{}, err
	}
	detach := context.AfterFunc(ctx, func() { c.endDirect(ctx, e) })
	defer detach()
	if cause := c.awaitEnd(ctx, e, end); cause != nil {
		c.workers.goAnyway(func() {
			<-end.done
			c.forgetDirect(e)
		})
		return Result{}, c.stuck(e, cause)
	}
	c.awaitCallbacks(ctx, end.mark)
	c.forgetDirect(e)
	return end.outcome()
}

// endDirect ends a file of Upload whose caller's context has ended.
func (c *Client) endDirect(ctx context.Context, e *entry) {
	cause := judge(fmt.Errorf("%w: %w", errCallerEnded, context.Cause(ctx)))
	_ = c.decide(func(l *filelist.List) error {
		l.End(filelist.ID(e.id), cause)
		return nil
	})
}

// forgetDirect takes a file of Upload that has ended out of the list.
func (c *Client) forgetDirect(e *entry) {
	_ = c.decide(func(l *filelist.List) error {
		l.Forget(filelist.ID(e.id))
		return nil
	})
}

// awaitCallbacks waits until the callbacks up to a mark have returned, ctx has ended, or
// Close has given up. In a callback it does not wait: it would wait for itself.
func (c *Client) awaitCallbacks(ctx context.Context, mark uint64) {
	if c.notify.Inside() {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	detach := context.AfterFunc(c.workers.ctx, cancel)
	defer detach()
	_ = c.notify.Wait(ctx, mark)
}

// interruptGrace is how long after the end of its context a call waits for what that end
// interrupts.
const interruptGrace = time.Second

// awaitBriefly waits for done, at most until interruptGrace after the end of ctx; late
// reports that done was not closed by then.
func awaitBriefly(ctx context.Context, done <-chan struct{}) (late bool) {
	select {
	case <-done:
		return false
	case <-ctx.Done():
	}
	t := time.NewTimer(interruptGrace)
	defer t.Stop()
	select {
	case <-done:
		return false
	case <-t.C:
		return true
	}
}

// awaitEnd waits until a file has ended. Where ctx ends, or the file is to end for
// another cause, it waits for interruptGrace, and longer for anything but ctx and a call of
// the user's code: all else ends by itself. If that was too short, it returns what the file
// is to end for.
func (c *Client) awaitEnd(ctx context.Context, e *entry, end *fileEnd) error {
	decided := e.direct.decided
	var tick <-chan time.Time
	for {
		select {
		case <-end.done:
			return nil
		case <-ctx.Done():
			if awaitBriefly(ctx, end.done) {
				return fmt.Errorf("%w: %w", errCallerEnded, context.Cause(ctx))
			}
			return nil
		case <-decided:
			t := time.NewTicker(interruptGrace)
			defer t.Stop()
			decided, tick = nil, t.C
		case <-tick:
			var cause error
			c.view(func(l *filelist.List) {
				if f, _ := l.Get(filelist.ID(e.id)); e.steps.Oldest() != "" {
					cause = f.Cause
				}
			})
			if cause != nil {
				return cause
			}
		}
	}
}

// newEntryWithin is newEntry, which opens the source, for as long as ctx allows.
func (c *Client) newEntryWithin(ctx context.Context, f File) (*entry, int64, error) {
	if f.Reader != nil {
		return c.newEntry(f) // there is nothing to open
	}
	type checked struct {
		e    *entry
		size int64
	}
	got, err := within(ctx, c, "looking at the source "+f.Path, func() (checked, error) {
		e, size, err := c.newEntry(f)
		return checked{e, size}, err
	})
	return got.e, got.size, err
}

// stuck is the error of a file that has not ended in time, and stays in the list unless
// it was deleted.
func (c *Client) stuck(e *entry, cause error) error {
	var info FileInfo
	var step string
	c.view(func(l *filelist.List) {
		f, _ := l.Get(filelist.ID(e.id))
		info, step = e.snapshot(&f), e.steps.Oldest()
	})
	if step != "" {
		cause = fmt.Errorf("%w; %s", cause, step)
	}
	return newError(&info, cause)
}
