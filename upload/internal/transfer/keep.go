package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A keeper keeps the checkpoint of one upload. Where that was asked for, the first
// failure makes it go on without: with one in memory if there is no record yet, and
// with what the store can still write if there is.
type keeper struct {
	checkpoint.Upload                   // what is written to
	claimed           checkpoint.Upload // of the store, if Upload is not that; nil: none could be opened
	optional          bool
	warn              func(error)
	starved           func(error)
	warned            atomic.Bool
	slow              *seldom   // of the service
	unbegun           time.Time // since when the server may have an upload that there is no record of; zero: it has none
}

// claim opens the checkpoint. Where none can be kept, it is an error unless the
// upload was told to go on without. Somebody else's claim always is.
func (u *upload) claim(ctx context.Context) (*keeper, error) {
	k := &keeper{optional: u.opts.Optional, warn: u.warn, starved: u.starved, slow: &u.slowDisk}
	cp, err := OpenCheckpoint(ctx, u.store(u.job), u.job.key(), u.starved)
	for errors.Is(err, checkpoint.ErrInUse) && u.sweeping.wait(ctx, u.job.key()) {
		cp, err = OpenCheckpoint(ctx, u.store(u.job), u.job.key(), u.starved)
	}
	switch {
	case err == nil:
		if damaged := cp.Damaged(); damaged != nil {
			u.warn(fmt.Errorf("the upload starts over: %w; what the server has of it stays there, until a sweep finds it", damaged))
		}
		k.Upload = cp
		return k, nil
	case errors.Is(err, checkpoint.ErrInUse):
		return nil, Used(err)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("open checkpoint: %w", err)
	case !k.optional:
		return nil, Unkept(err)
	}
	k.without(err)
	k.Upload, err = checkpoint.NewMemory().Open(ctx, u.job.key())
	return k, err
}

// Unkept is the error of an upload that may not go on without.
func Unkept(cause error) error {
	return fmt.Errorf("%w: %w", ErrCheckpoint, cause)
}

// Used is the error of an upload whose checkpoint another one has claimed.
func Used(cause error) error { return fmt.Errorf("%w: %w", ErrInUse, cause) }

// without tells, once, that the upload goes on without.
func (k *keeper) without(cause error) {
	if k.warned.CompareAndSwap(false, true) {
		k.warn(fmt.Errorf("%w, the upload goes on without: %w", ErrCheckpoint, cause))
	}
}

// begin writes the record of a new upload.
func (k *keeper) begin(ctx context.Context, rec checkpoint.Record) error {
	err := descriptors.Await(ctx, func() error { return k.Begin(ctx, rec) }, k.starved)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return err
	case !k.optional || k.claimed != nil:
		return Unkept(err)
	}
	k.without(err)
	memory, err := checkpoint.NewMemory().Open(ctx, rec.Key)
	if err != nil {
		return err
	}
	k.claimed, k.Upload = k.Upload, memory // the claim is held to the end
	return memory.Begin(ctx, rec)
}

// note adds an acknowledged part. A stream has no keeper.
func (k *keeper) note(p wire.Part) error {
	if k == nil {
		return nil
	}
	defer k.watch()
	return k.tolerate(k.Add(checkpoint.Part{Number: p.Number, Size: p.Size, ETag: p.ETag, CRC64: p.CRC64}))
}

// flush makes all that was added durable.
func (k *keeper) flush(ctx context.Context) error {
	err := k.Flush(ctx)
	k.watch()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return k.tolerate(err)
}

// tolerate makes a failed write a warning where that was asked for.
func (k *keeper) tolerate(err error) error {
	switch {
	case err == nil:
		return nil
	case !k.optional:
		return Unkept(err)
	}
	k.without(err)
	return nil
}

// remove deletes the checkpoint of an upload that is no more.
func (k *keeper) remove() {
	if err := target.Join(k.Remove(), k.drop()); err != nil {
		k.warn(fmt.Errorf("remove checkpoint: %w", err))
	}
}

// close keeps the checkpoint of an upload that can be resumed.
func (k *keeper) close() {
	end := k.Close
	if u, ok := k.Upload.(checkpoint.Unbegun); ok && !k.unbegun.IsZero() {
		end = func() error { return u.CloseUnbegun(k.unbegun) }
	}
	if err := target.Join(end(), k.drop()); err != nil {
		k.warn(fmt.Errorf("close checkpoint: %w", err))
	}
}

// drop removes what the store has of an upload that goes on without it: at best the
// record of an earlier one.
func (k *keeper) drop() error {
	if k.claimed == nil {
		return nil
	}
	return k.claimed.Remove()
}

// slowDisk is how long a write of acknowledged parts may take before it is told.
const slowDisk = time.Second

// watch tells, once in a while for all uploads, that the disk is slow: what has been
// acknowledged meanwhile is sent again after a loss of power.
func (k *keeper) watch() {
	timed, ok := k.Upload.(checkpoint.Timed)
	if !ok {
		return
	}
	if took := timed.Slowest(); took > slowDisk && k.slow.due(time.Now()) {
		k.warn(fmt.Errorf("the disk of the checkpoints took %v to write acknowledged parts; after a loss of power, those of that time are sent again", took.Round(time.Millisecond)))
	}
}

// A seldom is due once in ten minutes.
type seldom struct{ last atomic.Int64 }

func (s *seldom) due(now time.Time) bool {
	const pause = 10 * time.Minute
	last := s.last.Load()
	return (last == 0 || now.UnixNano()-last >= int64(pause)) && s.last.CompareAndSwap(last, now.UnixNano())
}
