package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"
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

// discard aborts the recorded upload, which is of no use any more. That the server
// does not let it be aborted is no reason not to go on.
func (m *multipart) discard(ctx context.Context) bool {
	err := m.abort(ctx)
	if err != nil && ctx.Err() == nil {
		m.warn(fmt.Errorf("an unfinished upload stays at the server: %w", err))
	}
	return err == nil
}

// abort ends the upload at the server, within CleanupTimeout. Parts that were being
// received may survive it (OSS documentation, AbortMultipartUpload), so it is
// repeated until the server does not know the upload any more.
func (m *multipart) abort(ctx context.Context) error {
	if m.rec.UploadID == "" {
		return nil
	}
	late := fmt.Errorf("%w: more than %v", errCleanup, m.opts.CleanupTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, m.opts.CleanupTimeout, late)
	defer cancel()
	for try := range maxAborts {
		if try > 0 {
			if err := sleep(ctx, abortPause<<(try-1)); err != nil {
				return err
			}
		}
		err := m.call(ctx, 0, func(ctx context.Context, s Snapshot) error {
			return m.remote.Abort(ctx, s, m.rec.UploadID)
		})
		if isRestart(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if listed, _ := m.isListed(ctx, RetryPolicy{}); !listed {
			return nil
		}
	}
	return fmt.Errorf("upload %s is still there after %d aborts", m.rec.UploadID, maxAborts)
}

// isListed reports whether the server still has the upload; known is false where it
// does not say.
func (m *multipart) isListed(ctx context.Context, policy RetryPolicy) (listed, known bool) {
	err := m.retry(ctx, policy, 0, func(ctx context.Context, s Snapshot) error {
		_, err := m.remote.ListParts(ctx, s, m.rec.UploadID)
		return err
	}, nil)
	return err == nil, err == nil || isRestart(err)
}
