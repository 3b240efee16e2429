package fleet

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
)

// attend says that the worker is alive, and takes its share of the budget, until ctx ends.
func (w *Worker) attend(ctx context.Context) {
	start := time.Now()
	parallel := decide.NewGrower(1, w.opts.Presence)
	bandwidth := decide.NewGrower(upload.MinBandwidthLimit, w.opts.Presence)
	for ; ; _ = sleep(ctx, w.opts.Presence/3) {
		if ctx.Err() != nil {
			w.depart(ctx)
			return
		}
		workers, rank, err := w.roll(ctx)
		if err != nil {
			w.opts.Logger.Debug("cannot list the workers", "error", err)
			continue // with the share that it has: what is above it is not known
		}
		now := start.Add(time.Since(start))
		if limit := w.opts.FleetParallel; limit > 0 {
			_ = w.client.SetParallel(int(parallel.Next(decide.Share(int64(limit), workers, rank, 1), now)))
		}
		if limit := w.opts.FleetBandwidthLimit; limit > 0 {
			_ = w.client.SetBandwidthLimit(bandwidth.Next(decide.Share(limit, workers, rank, upload.MinBandwidthLimit), now))
		}
	}
}

// roll calls the roll: how many workers are alive, with this one, and its rank among them.
func (w *Worker) roll(ctx context.Context) (workers, rank int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	own := w.workerSubject(w.id)
	if _, err := w.publish(ctx, own, []byte(w.opts.Name), jetstream.WithMsgTTL(w.opts.Presence)); err != nil {
		return 0, 0, err
	}
	info, err := w.info(ctx, jetstream.WithSubjectFilter(w.workerSubject("*")))
	if err != nil {
		return 0, 0, err
	}
	alive := slices.Sorted(maps.Keys(info.State.Subjects))
	rank, found := slices.BinarySearch(alive, own)
	if !found {
		return len(alive) + 1, rank, nil
	}
	return len(alive), rank, nil
}

// depart takes the worker off the roll.
func (w *Worker) depart(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = w.states.Purge(ctx, jetstream.WithPurgeSubject(w.workerSubject(w.id)))
}
