package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
)

// claim opens the checkpoint. Where none can be kept, it is an error unless the
// upload may continue without one. A claim of another holder always is, and so is a
// shared store that grants none: it is for the claims that there is one.
func (u *upload) claim(ctx context.Context) (*recorder, error) {
	k := &recorder{optional: u.opts.Optional, warn: u.warn, starved: u.starved, slow: &u.slowDisk, flushed: u.opts.Flushed}
	store := u.session.store(u.job)
	cp, err := u.OpenClaim(ctx, store, u.job.key(), u.starved, func(err error) func(error) error {
		if u.putDown != nil {
			u.putDown()
		}
		return u.waiting(ForClaim, 0, err)
	})
	switch {
	case err == nil:
		if damaged := cp.Damaged(); damaged != nil {
			u.warn(fmt.Errorf("the upload starts over: %w; what the server has of it stays there, until a sweep finds it", damaged))
		}
		k.Claim, k.fence = cp, newFence(cp)
		k.fence.unasked = k.tolerate // by the holder's own clock the claim still holds
		return k, nil
	case errors.Is(err, checkpoint.ErrInUse):
		return nil, Used(err)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("open checkpoint: %w", err)
	case IsShared(store):
		return nil, Unkept(fmt.Errorf("%w: %w", ErrUnclaimed, err))
	case !k.optional:
		return nil, Unkept(err)
	}
	k.degrade(err)
	k.Claim, err = checkpoint.NewMemory().Open(ctx, u.job.key())
	return k, err
}
