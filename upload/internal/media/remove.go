package media

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
)

// Forget deletes the checkpoints of uploads to what is gone. No credentials could abort
// those: the service clears its own buckets.
func Forget(ctx context.Context, store checkpoint.Store, source, id string) error {
	if id == "" {
		return nil
	}
	entries, err := store.List(ctx)
	errs := []error{err}
	for _, e := range entries {
		if e.Record.Key.Source != source || e.Record.VideoID != id || e.Record.Key.Bucket == "" {
			continue
		}
		cp, err := store.Open(ctx, e.Record.Key)
		if err == nil {
			err = cp.Remove()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Remove removes what a file has left: its upload, by abandon, unless that is nil since
// the file never had a destination, and the record of what was made. A source that
// another run has claimed is that one's.
func Remove(ctx context.Context, o Options, abandon func(context.Context) error) error {
	var cp checkpoint.Claim
	if !o.Volatile {
		var err error
		cp, err = o.Store.Open(ctx, Key(o.Source))
		if errors.Is(err, checkpoint.ErrInUse) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim the source: %w", err)
		}
		defer cp.Close()
	}
	if abandon != nil {
		if err := abandon(ctx); err != nil {
			return err
		}
	}
	if cp == nil {
		return nil
	}
	// An earlier process may have got further. No credentials could abort what it left.
	if rec, _, ok := cp.Load(); ok && abandon == nil {
		if err := Forget(ctx, o.Store, o.Source, rec.VideoID); err != nil {
			return err
		}
	}
	return cp.Remove()
}
