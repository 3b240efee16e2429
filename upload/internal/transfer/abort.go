package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

const (
	maxAborts  = 3
	abortPause = 200 * time.Millisecond // before the second abort; then it doubles
)

var errCleanup = errors.New("clean-up took too long")

// isAbandoned reports whether the caller gave the upload up.
func isAbandoned(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrAbandon) }

// cleanup returns a context for what is done at the server after an upload has
// failed. If the upload was abandoned, or is so meanwhile, nothing interrupts it.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	c, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if !isAbandoned(ctx) {
			cancel(context.Cause(ctx))
		}
	})
	return c, func() {
		stop()
		cancel(nil)
	}
}

type cleanupKey struct{}

// asCleanup returns a context whose requests are a clean-up.
func asCleanup(ctx context.Context) context.Context {
	return context.WithValue(ctx, cleanupKey{}, true)
}

// IsCleanup reports whether a request with ctx aborts an upload or looks for one that is
// to be aborted. It has little time, and should not wait for the slots of other files.
func IsCleanup(ctx context.Context) bool { return ctx.Value(cleanupKey{}) != nil }

// abort ends an upload at the server, within CleanupTimeout. Parts that were being
// received may survive it (OSS documentation, AbortMultipartUpload), so it is
// repeated until the server does not know the upload any more. f is the fence of the
// claim that gives the right to it.
func (c *caller) abort(ctx context.Context, f *fence, remote wire.Remote, uploadID string) error {
	if uploadID == "" {
		return nil
	}
	late := fmt.Errorf("%w: more than %v", errCleanup, c.opts.CleanupTimeout)
	ctx, cancel := context.WithTimeoutCause(asCleanup(ctx), c.opts.CleanupTimeout, late)
	defer cancel()
	for try := range maxAborts {
		if try > 0 {
			if err := tasks.Sleep(ctx, abortPause<<(try-1)); err != nil {
				return err
			}
		}
		policy := c.opts.Retry
		policy.early = true // there is little time
		err := c.retry(ctx, policy, 0, func(ctx context.Context, s Snapshot) error {
			if err := f.ask(ctx); err != nil {
				return err
			}
			return remote.Abort(ctx, s, uploadID)
		}, nil)
		if isRestart(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if listed, _ := c.isListed(ctx, remote, uploadID, RetryPolicy{}); !listed {
			return nil
		}
	}
	return fmt.Errorf("upload %s is still there after %d aborts", uploadID, maxAborts)
}

// isListed reports whether the server still has the upload; known is false where it
// does not say.
func (c *caller) isListed(ctx context.Context, remote wire.Remote, uploadID string, policy RetryPolicy) (listed, known bool) {
	err := c.retry(ctx, policy, 0, func(ctx context.Context, s Snapshot) error {
		_, err := remote.ListParts(ctx, s, uploadID)
		return err
	}, nil)
	return err == nil, err == nil || isRestart(err)
}
