package upload

import (
	"context"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// maxStarted bounds the files that were started and have not ended, and so what a list
// of any length costs. It is more than the number of slots, so that files that wait for
// a token or for a retry do not keep others from being sent. Each may have its source
// and its checkpoint open; with an Authorizer, also its claim on the source.
func (o *Options) maxStarted(parallel int) int {
	perFile := 2
	if o.Authorizer != nil {
		perFile = 3
	}
	return descriptors.Started(descriptors.Limit(), perFile, parallel, max(256, 2*parallel))
}

// awaitTurn waits until the file has a slot in hand, there are credentials, and its
// endpoint is not away. The file has nothing open until then, since any number of files
// may wait.
func (r *run) awaitTurn(ctx context.Context, job *transfer.Job) error {
	gate := job.Gate
	for {
		if err := r.c.service.AwaitEndpoint(ctx, job); err != nil {
			return err
		}
		if err := r.slots.Acquire(ctx); err != nil {
			return err
		}
		r.slots.inHand.Store(true)
		if _, ok := gate.Current(); ok {
			return nil
		}
		r.slots.putDown()
		if err := gate.Wait(ctx); err != nil {
			return err
		}
	}
}

// openSource opens the source. It waits while the process has too many files open.
func (r *run) openSource(ctx context.Context) (src transfer.Source, err error) {
	err = descriptors.Await(ctx, func() error {
		return r.steps.During("opening the source", func() (err error) {
			src, err = r.e.reopen()
			return err
		})
	}, r.starved)
	return src, err
}

// starved gives up the slot, so that another file may end and close what it has open.
func (r *run) starved(err error) {
	r.slots.putDown()
	r.c.opts.Logger.Warn("upload", r.c.attrs(r.e, "warning", "wait until another file or connection is closed", "error", err)...)
}

// openClaim opens a checkpoint of the run, and waits for a holder of its claim.
func (r *run) openClaim(ctx context.Context, store checkpoint.Store, key checkpoint.Key) (checkpoint.Claim, error) {
	return r.c.service.OpenClaim(ctx, store, key, r.starved, func(err error) func(error) error {
		r.slots.putDown()
		return r.waits(transfer.ForClaim, 0, err)
	})
}

// A waitingStore waits while the process has too many files open to open a checkpoint.
type waitingStore struct {
	checkpoint.Store
	starved func(error) // is called before it waits; may be nil

	// claim opens the checkpoint, and waits for its holder; nil: that is ErrInUse.
	claim func(context.Context, checkpoint.Store, checkpoint.Key) (checkpoint.Claim, error)
}

func (s waitingStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	if s.claim != nil {
		return s.claim(ctx, s.Store, key)
	}
	return transfer.OpenCheckpoint(ctx, s.Store, key, s.starved)
}
