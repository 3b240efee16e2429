package upload

import (
	"context"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/slots"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

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
	c.list.Shelved = c.shared.shelf.file
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
		return target.OneLine(transfer.Unkept(err))
	}
	c.opts.Logger.Warn("uploads will not survive the end of this process", "error", err)
	c.store = checkpoint.NewMemory()
	return nil
}

// openDir opens the directory that checkpoints are kept in unless the user gave a
// store. Where there is neither Options.CheckpointDir nor a home, as in a bare container,
// that is a private one under the temporary directory, and an operator should know: it
// may not outlive the container.
func openDir(o Options) (checkpoint.Store, error) {
	if o.CheckpointDir != "" {
		store, err := checkpoint.OpenDir(o.CheckpointDir)
		if err != nil {
			return nil, fmt.Errorf("Options.CheckpointDir: %w", err)
		}
		return store, nil
	}
	dir, fallback, err := checkpoint.MakeDefaultDir()
	if err != nil {
		return nil, err
	}
	if fallback {
		o.Logger.Warn("no home directory: checkpoints are kept under the temporary directory", "dir", dir)
	}
	return checkpoint.OpenDir(dir)
}

// endpointsChanged starts files whose endpoint is back. What was measured in an outage says
// nothing of the link.
func (c *Client) endpointsChanged() {
	c.slots.Restart()
	c.startFiles()
}
