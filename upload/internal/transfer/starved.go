package transfer

import (
	"context"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/descriptors"
)

// OpenCheckpoint opens a checkpoint, and waits where the process has too many files
// open. starved, which may be nil, is called before it waits.
func OpenCheckpoint(ctx context.Context, store checkpoint.Store, key checkpoint.Key, starved func(error)) (cp checkpoint.Claim, err error) {
	err = descriptors.Await(ctx, func() (err error) {
		cp, err = store.Open(ctx, key)
		return err
	}, starved)
	return cp, err
}
