package upload

import (
	"context"
	"fmt"
	"sync"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/notify"
	"github.com/vodupload/vodupload/upload/internal/slots"
	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A Client uploads a list of files. All its methods may be called from any
// goroutine, and from within callbacks.
type Client struct {
	opts     Options
	store    checkpoint.Store
	ownStore bool // the store was opened by the client
	service  *transfer.Service
	slots    *slots.Budget
	gate     *credentials.Gate
	notify   notify.Queue
	workers  workers
	shared   sharedValues

	// mu guards the fields below. Only view takes it, never for I/O or a callback. A
	// function that needs it held ends in Locked, or is given the list.
	mu      sync.Mutex
	list    *filelist.List
	entries map[FileID]*entry
	readers readers
	start   startContext
	changed tasks.Signal // broadcast after each decision
}

// New returns a client. A nil opts means the defaults. The error names the option
// that is wrong, or says why the directory of checkpoints cannot be created.
func New(opts *Options) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{
		opts:    o,
		entries: make(map[FileID]*entry),
		readers: make(readers),
		list:    filelist.New(o.limits(o.Parallel)),
		slots:   slots.New(o.Parallel),
	}
	if err := c.openStore(); err != nil {
		return nil, err
	}
	c.workers.ctx, c.workers.end = context.WithCancelCause(context.Background())
	c.gate = c.newGate(o.Credentials)
	c.service = transfer.NewService(transfer.Options{
		Wire: c.wireOptions(), Locator: o.locator(),
		Checkpoints: c.store, Optional: o.CheckpointsOptional, ClaimWait: o.ClaimWait,
		PartSize: o.PartSize, Parallel: o.Parallel,
		Retry:          transfer.RetryPolicy{Count: o.RetryCount, Interval: o.RetryInterval},
		CleanupTimeout: o.CleanupTimeout,
		OutageWait:     max(o.OutageWait, 0), Changed: c.endpointsChanged,
		Flushed: c.opts.Observer.flushed(),
	})
	if opts != nil && opts.Parallel == Auto {
		c.setAuto()
	}
	return c, nil
}

func (c *Client) wireOptions() transfer.WireOptions {
	return transfer.WireOptions{
		HTTPClient: c.opts.HTTPClient, BandwidthLimit: c.opts.BandwidthLimit,
		StallTimeout: c.opts.StallTimeout, RequireCRC: c.opts.RequireCRC, Logger: c.opts.Logger,
		Observer: c.opts.Observer.wireObserver(),
	}
}

// openStore opens the directory of checkpoints unless a store was given.
func (c *Client) openStore() error {
	if c.opts.Checkpoints != nil {
		c.store = transfer.GuardStore(c.opts.Checkpoints, nil)
		return nil
	}
	c.ownStore = true
	store, err := openDir(c.opts)
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

// Format writes the name of c's type and nothing else, whatever the verb: c holds
// credentials. It takes no lock, since a client may be printed anywhere.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, "upload.Client") }

// attrs are the attributes of a log line about a file.
func (c *Client) attrs(e *entry, more ...any) (attrs []any) {
	c.view(func(*filelist.List) {
		attrs = append([]any{"file", e.id, "path", e.path, "bucket", e.bucket, "object", e.object}, more...)
	})
	return attrs
}
