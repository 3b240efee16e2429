package upload

import (
	"context"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// maxStarted bounds the files that were started and have not ended. It is more than
// there are slots, so that files which wait for a token or to retry do not keep others
// from being sent, and bounds what a list of any length costs. Each may have its source
// and its checkpoint open; one of an Authorizer, its claim on the source besides.
func (o *Options) maxStarted() int {
	perFile := 2
	if o.Authorizer != nil {
		perFile = 3
	}
	return descriptors.Started(descriptors.Limit(), perFile, o.Parallel, max(256, 2*o.Parallel))
}

// awaitTurn waits until the file has a slot at hand and there are credentials. Nothing
// of it is open until then: any number of files may wait for a token.
func (r *run) awaitTurn(ctx context.Context, gate transfer.Gate) error {
	for {
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

// openSource opens the source to look at it, and waits where the process has too many
// files open.
func (r *run) openSource(ctx context.Context) (src transfer.Source, err error) {
	err = descriptors.Await(ctx, func() (err error) {
		src, err = r.e.reopen()
		return err
	}, r.starved)
	return src, err
}

// starved gives the slot to a file that may end, and close what it has open.
func (r *run) starved(err error) {
	r.slots.putDown()
	r.c.opts.Logger.Warn("upload", r.c.attrs(r.e, "warning", "wait until another file or connection is closed", "error", err)...)
}

// A waitingStore waits where the process has too many files open to open a checkpoint.
type waitingStore struct {
	checkpoint.Store
	starved func(error) // is called before it waits; may be nil
}

func (s waitingStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Upload, error) {
	return transfer.OpenCheckpoint(ctx, s.Store, key, s.starved)
}
