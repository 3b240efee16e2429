package upload

import (
	"context"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

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

// A waitingStore opens a checkpoint by a function that may wait for it.
type waitingStore struct {
	checkpoint.Store
	open func(context.Context, checkpoint.Store, checkpoint.Key) (checkpoint.Claim, error)
}

func (s waitingStore) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	return s.open(ctx, s.Store, key)
}

// waitReasonOf has the reasons of the waits of transfer.
var waitReasonOf = [...]WaitReason{transfer.ForNetwork: WaitNetwork, transfer.ForThrottle: WaitThrottle, transfer.ForClaim: WaitClaim}

// waits shows what a request of the run waits for. An outage is reported once to a file,
// however many probes it makes.
func (r *run) waits(f transfer.WaitFor, outage int, why error) (end func(error) error) {
	if f == transfer.ForClaim {
		r.c.opts.Logger.Warn("waits for a claim", r.c.attrs(r.e, inUseAttrs(why)...)...)
	}
	w := r.c.wait(r.e, waitReasonOf[f])
	w.outage(&r.outage, outage, why)
	return w.end
}

// awaitTarget waits until the file has a destination.
func (r *run) awaitTarget(ctx context.Context) error {
	has := func(*filelist.List) bool { return r.e.site != nil }
	if r.c.is(has) { // as nearly always: then it needs no timer
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.c.opts.TokenWait,
		fmt.Errorf("%w: none was given within %v: set it in AddFile, or call SetDestination in OnStarted or later", ErrNoDestination, r.c.opts.TokenWait))
	defer cancel()
	return r.await(ctx, WaitDestination, &r.e.provided, has)
}

// awaitNamesake waits until no deleted file with the same key is at work. The list does
// not start a file before that, but the key may become known only after the start.
func (r *run) awaitNamesake(ctx context.Context) error {
	return r.await(ctx, WaitClaim, &r.c.changed, func(l *filelist.List) bool {
		f, _ := l.Get(r.id)
		return f.Deleted || !l.Held(f.Key)
	})
}

// await waits for done as the client's await does. The file has no slot meanwhile, and
// users see the wait.
func (r *run) await(ctx context.Context, why WaitReason, s *tasks.Signal, done func(*filelist.List) bool) error {
	if r.c.is(done) {
		return nil
	}
	r.slots.putDown()
	w := r.c.wait(r.e, why)
	return w.end(r.c.await(ctx, s, done))
}
