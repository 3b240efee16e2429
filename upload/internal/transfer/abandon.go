package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// abandon aborts the recorded upload of a job that claims no checkpoint, and removes its
// checkpoint.
func (u *upload) abandon(ctx context.Context) error {
	store, key := u.session.store(u.job), u.job.key()
	if f, ok := store.(checkpoint.Finder); ok {
		if has, err := f.Has(ctx, key); err == nil && !has {
			return nil
		}
	}
	cp, err := OpenCheckpoint(ctx, store, key, u.starved)
	if errors.Is(err, checkpoint.ErrInUse) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	f := newFence(cp)
	defer func(outer *fence) { u.fence = outer }(u.fence)
	u.fence = f
	rec, _, _ := cp.Load()
	if mark, ok := cp.(checkpoint.Unbegun); ok && !mark.Unbegun().IsZero() {
		if !u.abortLost(ctx, mark.Unbegun()) && rec.UploadID == "" {
			return mark.CloseUnbegun(mark.Unbegun())
		}
	}
	defer u.working.remove(rec.UploadID)
	if err := u.abort(ctx, f, u.remote, rec.UploadID); err != nil {
		return target.Join(err, cp.Close())
	}
	return cp.Remove()
}

// abortLost aborts what a run that claimed the checkpoint at the given time, and did not
// begin it, has made. It returns false where the server did not say.
func (u *upload) abortLost(ctx context.Context, claimed time.Time) bool {
	ctx, cancel := context.WithTimeout(ctx, canceledTimeout)
	defer cancel()
	return u.abortOrphans(ctx, &lostInitiates{earlier: claimed, claimed: time.Now()}, "")
}

// abandonIfCanceled ends a run that has claimed nothing with err. If the caller gave the
// upload up, what an earlier run has left of it goes.
func (u *upload) abandonIfCanceled(ctx context.Context, err error) error {
	if !isAbandoned(ctx) {
		return err
	}
	ctx, cancel := cleanup(ctx)
	defer cancel()
	if aerr := u.abandon(ctx); aerr != nil {
		u.warn(fmt.Errorf("an unfinished upload stays at the server: %w", aerr))
	}
	return err
}
