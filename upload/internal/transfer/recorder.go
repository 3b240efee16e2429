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

// A recorder keeps the checkpoint of one upload. Where that was asked for, the first
// failure makes the upload continue without one: in memory if there is no record yet, and
// with what the store can still write if there is.
type recorder struct {
	checkpoint.Claim                  // what is written to
	claimed          checkpoint.Claim // of the store, if Upload is not that; nil: none could be opened
	fence            *fence           // of the store's claim
	optional         bool
	warn             func(error)
	starved          func(error)
	warned           atomic.Bool
	slow             *seldom                                     // of the service
	flushed          func(context.Context, time.Duration, error) // nil: nobody wants to know
	unbegun          time.Time                                   // since when the server may have an upload that there is no record of; zero: it has none
}

// IsShared reports whether the claims of a store hold for other machines as well.
func IsShared(store checkpoint.Store) bool {
	s, ok := store.(checkpoint.Shared)
	return ok && s.Shared()
}

// ErrUnclaimed is in the error of an upload whose claim a shared store did not give: then
// another machine may be uploading the file.
var ErrUnclaimed = errors.New("the store that machines share gives no claim")

// Unkept is the error of an upload that may not continue without a checkpoint.
func Unkept(cause error) error {
	return fmt.Errorf("%w: %w", ErrCheckpoint, cause)
}

// Used is the error of an upload whose checkpoint another one has claimed.
func Used(cause error) error { return fmt.Errorf("%w: %w", ErrInUse, cause) }

// degrade warns, once, that the upload continues without a checkpoint.
func (k *recorder) degrade(cause error) {
	if k.warned.CompareAndSwap(false, true) {
		k.warn(fmt.Errorf("%w, the upload continues without one: %w", ErrCheckpoint, cause))
	}
}

// begin writes the record of a new upload.
func (k *recorder) begin(ctx context.Context, rec checkpoint.Record) error {
	err := descriptors.Await(ctx, func() error { return k.Begin(ctx, rec) }, k.starved)
	switch {
	case err == nil:
		return nil
	case k.fence.note(err) != nil, ctx.Err() != nil:
		return err
	case !k.optional || k.claimed != nil:
		return Unkept(err)
	}
	k.degrade(err)
	memory, err := checkpoint.NewMemory().Open(ctx, rec.Key)
	if err != nil {
		return err
	}
	k.claimed, k.Claim = k.Claim, memory // the claim is held to the end
	return memory.Begin(ctx, rec)
}

// note adds an acknowledged part.
func (k *recorder) note(p wire.Part) error {
	defer k.watch()
	return k.tolerate(k.Add(checkpoint.Part{Number: p.Number, Size: p.Size, ETag: p.ETag, CRC64: p.CRC64}))
}

// flush makes all that was added durable.
func (k *recorder) flush(ctx context.Context) error {
	began := time.Now()
	err := k.Flush(ctx)
	if k.flushed != nil {
		k.flushed(ctx, time.Since(began), err)
	}
	k.watch()
	if ctx.Err() != nil && k.fence.note(err) == nil {
		return context.Cause(ctx)
	}
	return k.tolerate(err)
}

// tolerate makes a failed write a warning where that was asked for. That the claim is lost
// is no failed write.
func (k *recorder) tolerate(err error) error {
	switch lost := k.fence.note(err); {
	case err == nil:
		return nil
	case lost != nil:
		return lost
	case !k.optional:
		return Unkept(err)
	}
	k.degrade(err)
	return nil
}

// remove deletes the checkpoint of an upload that is no more.
func (k *recorder) remove() {
	if err := target.Join(k.Remove(), k.dropClaim()); err != nil && k.fence.note(err) == nil {
		k.warn(fmt.Errorf("remove checkpoint: %w", err))
	}
}

// close keeps the checkpoint of an upload that can be resumed.
func (k *recorder) close() {
	end := k.Close
	if u, ok := k.Claim.(checkpoint.Unbegun); ok && !k.unbegun.IsZero() {
		end = func() error { return u.CloseUnbegun(k.unbegun) }
	}
	if err := target.Join(end(), k.dropClaim()); err != nil && k.fence.note(err) == nil {
		k.warn(fmt.Errorf("close checkpoint: %w", err))
	}
}

// dropClaim removes what the store has of an upload that continues without it: at best the
// record of an earlier one.
func (k *recorder) dropClaim() error {
	if k.claimed == nil {
		return nil
	}
	return k.claimed.Remove()
}

// slowDisk is how long a write of acknowledged parts may take before it is reported.
const slowDisk = time.Second

// watch warns, once in a while for all uploads, if the disk is slow: what has been
// acknowledged meanwhile is sent again after a loss of power.
func (k *recorder) watch() {
	timed, ok := k.Claim.(checkpoint.Timed)
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
