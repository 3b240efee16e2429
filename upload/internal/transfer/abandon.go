package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// abandon aborts the recorded upload of a job that claims no checkpoint, and removes its
// checkpoint.
func (u *upload) abandon(ctx context.Context) error {
	store, key := u.session.store(u.job), u.job.key()
	if f, ok := store.(checkpoint.Finder); ok && u.session.lost.none() {
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
	if lost := u.lostBefore(cp); !lost.none() {
		known := u.abortLost(ctx, &lost, rec.UploadID)
		if mark, ok := cp.(checkpoint.Unbegun); ok && !known && rec.UploadID == "" {
			return mark.CloseUnbegun(lost.since())
		}
		u.session.lost = lostInitiates{}
	}
	defer u.working.remove(rec.UploadID)
	if err := u.abort(ctx, f, u.remote, rec.UploadID); err != nil {
		return target.Join(err, cp.Close())
	}
	return cp.Remove()
}

// abortLost aborts what lost requests have made. It returns false where the server did not
// say. mine is the upload that is recorded.
func (u *upload) abortLost(ctx context.Context, lost *lostInitiates, mine string) bool {
	ctx, cancel := context.WithTimeout(ctx, canceledTimeout)
	defer cancel()
	return u.abortOrphans(ctx, lost, mine)
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
