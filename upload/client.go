package upload

import (
	"context"
	"sync"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A Client uploads a list of files. All its methods may be called from any
// goroutine, and from within callbacks.
type Client struct {
	opts    Options
	service *transfer.Service
	store   checkpoint.Store
	ownsIt  bool // the store was opened by the client
	slots   *slots
	gate    *credentials.Gate

	ctx     context.Context // of runs, clean-ups and of asking providers; ends with Close
	end     context.CancelCauseFunc
	workers tasks.Group // runs, clean-ups, and those who ask providers
	callers tasks.Group // who deliver events
	reads   tasks.Group // Reads of Readers whose files have ended

	mu       sync.Mutex
	state    State
	start    context.Context // that Start was given; nil while it is not watched
	starts   int             // how often the client was started
	unwatch  func() bool
	stops    int   // how often the client was stopped
	why      error // of the last stop
	allDone  bool  // the client was finished, and nothing came to the list since
	files    map[FileID]*file
	order    order
	names    map[name4]FileID
	lastID   FileID
	waiting  queue         // of the list
	solos    queue         // of Upload
	active   int           // runs
	cleaning int           // clean-ups, those that wait for their turn included
	cleaners int           // goroutines that clean up
	cleanups []*cleanup    // that wait for their turn
	listed   int           // runs and clean-ups of files of the list
	soloing  int           // runs and clean-ups of files of Upload
	leaving  map[name4]int // runs and clean-ups of files that were deleted
	changed  tasks.Signal  // gets a turn with each change of what is above
	events   events
	totals   totals
	rate     rate
	specs    specs
	sites    sites
	links    hardLinks

	warnV1 sync.Once
}

// New returns a client. A nil opts means the defaults. The error names the option
// that is wrong, or says why the directory of checkpoints cannot be made.
func New(opts *Options) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{
		opts:    o,
		files:   make(map[FileID]*file),
		names:   make(map[name4]FileID),
		leaving: make(map[name4]int),
	}
	if err := c.openStore(); err != nil {
		return nil, err
	}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	c.slots = newSlots(o.Parallel, c.slotIdle)
	if opts != nil && opts.Parallel == Auto {
		c.slots.auto = newAuto()
		c.slots.limit = c.slots.auto.limit
	}
	c.gate = c.newGate(o.Credentials)
	c.service = transfer.NewService(transfer.Options{
		Wire: c.wireOptions(), Locator: o.locator(),
		Checkpoints: c.store, Optional: o.CheckpointsOptional,
		PartSize: o.PartSize, Parallel: o.Parallel,
		Retry:          transfer.RetryPolicy{Count: o.RetryCount, Interval: o.RetryInterval},
		CleanupTimeout: o.CleanupTimeout,
	})
	return c, nil
}

func (c *Client) wireOptions() transfer.WireOptions {
	w := transfer.WireOptions{
		HTTPClient: c.opts.HTTPClient, Parallel: c.opts.Parallel,
		StallTimeout: c.opts.StallTimeout, RequireCRC: c.opts.RequireCRC, Logger: c.opts.Logger,
	}
	if c.opts.BandwidthLimit > 0 {
		w.Limiter = transfer.NewLimiter(c.opts.BandwidthLimit)
	}
	return w
}

// openStore opens the default directory of checkpoints unless a store was given.
func (c *Client) openStore() error {
	c.store = c.opts.Checkpoints
	if c.store != nil {
		return nil
	}
	c.ownsIt = true
	store, err := openDefaultStore(c.opts)
	if err == nil {
		c.store = store
		return nil
	}
	if !c.opts.CheckpointsOptional {
		return transfer.Unkept(err)
	}
	c.opts.Logger.Warn("uploads will not survive the end of this process", "error", err)
	c.store = checkpoint.NewMemory()
	return nil
}

// goDo runs fn on a goroutine that Close waits for; false after Close.
func (c *Client) goDo(fn func(context.Context)) bool {
	return c.workers.Go(func() { fn(c.ctx) })
}

// await waits until done, which is called with the lock held, returns true. It looks
// again whenever s gets a turn.
func (c *Client) await(ctx context.Context, s *tasks.Signal, done func() bool) error {
	for {
		turn := s.C()
		c.mu.Lock()
		ok := done()
		c.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-turn:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// awaitShort is await for what usually takes a moment, and may be left to go on by
// itself: at most a second.
func (c *Client) awaitShort(s *tasks.Signal, done func() bool) {
	ctx, cancel := context.WithTimeout(c.ctx, short)
	defer cancel()
	_ = c.await(ctx, s, done)
}

// attrs are what a log line about a file tells.
func (c *Client) attrs(f *file, more ...any) []any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]any{"file", f.info.ID, "path", f.info.Path, "bucket", f.info.Bucket, "object", f.info.Object}, more...)
}
