package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
	store "github.com/vodupload/vodupload/upload/fleet/jetstream"
)

// A Worker uploads the jobs of a queue. Make one for each process, and call Run.
type Worker struct {
	*engine
	opts     WorkerOptions
	id       string // names the worker in the engine
	consumer jetstream.Consumer
	client   *upload.Client
	claims   *claimStore
	ownStore checkpoint.Store // to be closed; nil: it was given
	working  sync.WaitGroup   // on jobs
	stuck    time.Duration    // after which a message is rung again that was delivered
}

// NewWorker returns a worker of a queue. It checks all that can be checked before the first
// job comes: the options, the engine, its streams. The error is [ErrNoEngine],
// [ErrVersion], [ErrInvalidArgument] or [ErrMissingArgument]. Call Run, which also releases
// what the worker holds.
func NewWorker(ctx context.Context, nc *nats.Conn, opts *WorkerOptions) (*Worker, error) {
	o, err := opts.resolve()
	if err != nil {
		return nil, fmt.Errorf("fleet: NewWorker: %w", err)
	}
	e, err := openEngine(ctx, nc, o.Namespace, o.Replicas)
	if err != nil {
		return nil, err
	}
	w := &Worker{engine: e, opts: o, id: strings.ToLower(rand.Text()), stuck: max(stuckAfter, 10*o.AckWait)}
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	if err := w.consume(ctx); err != nil {
		return nil, err
	}
	given := o.Upload.Checkpoints
	if given == nil {
		log := o.Logger
		if !o.SyncAlways && (opts == nil || opts.Logger == nil) {
			log = nil // a warning about data that may be lost is not for nobody
		}
		given, err = store.Open(ctx, nc, &store.Options{
			Namespace: o.Namespace, Holder: o.Name, Lease: o.Lease, Replicas: o.Replicas, SyncAlways: o.SyncAlways, Logger: log,
		})
		if err != nil {
			return nil, storeError(err)
		}
		w.ownStore = given
	}
	w.claims = &claimStore{Store: given}
	o.Upload.Checkpoints = w.claims
	o.Upload.ClaimWait = -1  // the job waits in the queue, and takes no worker meanwhile
	if o.FleetParallel > 0 { // the others have to shrink first
		o.Upload.Parallel = 1
	}
	if o.FleetBandwidthLimit > 0 {
		o.Upload.BandwidthLimit = upload.MinBandwidthLimit
	}
	if w.client, err = upload.New(&o.Upload); err != nil {
		w.closeStore()
		return nil, fmt.Errorf("fleet: NewWorker: WorkerOptions.Upload: %w", err)
	}
	return w, nil
}

// storeError returns the error of a store of checkpoints that cannot be opened, which says
// what to do.
func storeError(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.Is(err, store.ErrStream):
		return fmt.Errorf("%w: %w", ErrVersion, err)
	case errors.As(err, &api):
		return fmt.Errorf("fleet: open the store of checkpoints: %w", err)
	}
	return fmt.Errorf("%w: open the store of checkpoints: %w", ErrNoEngine, err)
}

// Format writes the name of w's type and nothing else, whatever the verb: w holds
// credentials.
func (w *Worker) Format(f fmt.State, _ rune) { fmt.Fprint(f, "fleet.Worker") }

// consume finds or makes the consumer that the workers of the queue share. MaxAckPending
// has no limit, since a job that is put off counts there: each worker bounds its own.
func (w *Worker) consume(ctx context.Context) error {
	consumer, err := w.bells.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:       consumerName(w.opts.Queue),
		FilterSubject: "vuq." + w.ns + ".q." + w.opts.Queue + ".*.*",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       w.opts.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: -1,
		MaxWaiting:    4096, // pulls that wait: one for each worker
	})
	if err != nil {
		return w.explain(ctx, "make the consumer of queue "+w.opts.Queue, err)
	}
	w.consumer = consumer
	return nil
}

// drainTimeout bounds what a worker still writes about its jobs when it stops.
const drainTimeout = 10 * time.Second

// Run takes jobs and uploads them until ctx ends, as by signal.NotifyContext at SIGTERM.
// Then it drains: it takes no more, interrupts what is in flight, keeps the checkpoints,
// gives up its claims and gives back its jobs, so that others continue at once. It returns
// nil then, usually within a second. An engine that is away is waited for; Run returns an
// error only if it was called before.
func (w *Worker) Run(ctx context.Context) error {
	if w.consumer == nil {
		return errors.New("fleet: Run: called before: make another Worker")
	}
	log := w.opts.Logger.With("worker", w.opts.Name, "queue", w.opts.Queue)
	log.Info("worker started", "files", w.opts.Files, "sources", strings.Join(w.schemes(), ","))
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var others sync.WaitGroup
	others.Go(func() { w.attend(background) })
	others.Go(func() { w.reconcile(background) })
	w.pull(ctx)
	w.working.Wait()
	stop()
	others.Wait()
	w.consumer = nil
	err := w.client.Close()
	w.closeStore()
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	_ = w.nc.FlushWithContext(flush) // jobs that were given back
	log.Info("worker stopped")
	return err
}

func (w *Worker) closeStore() {
	if w.ownStore != nil {
		_ = w.ownStore.Close()
	}
}

// pullWait is how long a request for jobs waits at the server.
const pullWait = 5 * time.Second

// pull asks for as many jobs as the worker has room for, until ctx ends.
func (w *Worker) pull(ctx context.Context) {
	room := make(chan struct{}, w.opts.Files)
	for range w.opts.Files {
		room <- struct{}{}
	}
	failing := false
	for {
		n := takeRoom(ctx, room)
		if n == 0 {
			return
		}
		rest, err := w.fetch(ctx, n, func(msg jetstream.Msg) {
			w.working.Go(func() {
				defer func() { room <- struct{}{} }()
				w.handle(ctx, msg)
			})
		})
		for range rest {
			room <- struct{}{}
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if !failing {
				w.opts.Logger.Warn("cannot get jobs; trying again", "queue", w.opts.Queue, "error", err)
			}
			if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, nats.ErrNoResponders) {
				again, cancel := withTimeout(ctx)
				_ = w.consume(again)
				cancel()
			}
			_ = sleep(ctx, time.Second)
		} else if failing {
			w.opts.Logger.Info("getting jobs again", "queue", w.opts.Queue)
		}
		failing = err != nil
	}
}

// takeRoom waits for room for one job at least, and takes all that there is; 0: ctx has
// ended.
func takeRoom(ctx context.Context, room chan struct{}) int {
	select {
	case <-room:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case <-room:
		default:
			return n
		}
	}
}

// fetch hands at most n messages to do as they arrive, and returns how many did not come.
func (w *Worker) fetch(ctx context.Context, n int, do func(jetstream.Msg)) (rest int, err error) {
	ctx, cancel := context.WithTimeout(ctx, pullWait)
	defer cancel()
	batch, err := w.consumer.Fetch(n, jetstream.FetchContext(ctx))
	if err != nil {
		return n, err
	}
	for msg := range batch.Messages() {
		n--
		do(msg)
	}
	if err := batch.Error(); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !errors.Is(err, nats.ErrTimeout) {
		return n, err
	}
	return n, nil
}

// limits returns those that decisions are made by.
func (w *Worker) limits() decide.Limits {
	return decide.Limits{
		MaxAttempts: w.opts.MaxAttempts, Backoff: w.opts.Backoff, MaxBackoff: w.opts.MaxBackoff, SourceWait: w.opts.SourceWait, Lease: w.opts.Lease,
	}
}

// Stats returns the figures of the client that uploads. Slots is the worker's share of
// FleetParallel, where that is set.
func (w *Worker) Stats() upload.Stats { return w.client.Stats() }
