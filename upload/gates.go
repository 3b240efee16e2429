package upload

import (
	"context"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/credentials"
)

// newGate returns a gate without credentials; p may be nil.
func (c *Client) newGate(p sts.Provider) *credentials.Gate { return c.newGateWith(p, c.goDo) }

// newGateWith is newGate with what runs the asking.
func (c *Client) newGateWith(p sts.Provider, run func(func(context.Context)) bool) *credentials.Gate {
	return credentials.New(credentials.Options{
		Provider: p, Wait: c.opts.TokenWait, Go: run, Logger: c.opts.Logger, Counts: &c.shared.counters.tokens,
	})
}

// newProviderGate returns the gate of p, which one file uses.
func (c *Client) newProviderGate(p sts.Provider) *providerGate {
	ctx, end := context.WithCancel(c.workers.ctx)
	run := func(ask func(context.Context)) bool { return c.workers.Go(func() { ask(ctx) }) }
	return &providerGate{Gate: c.newGateWith(p, run), provider: p, users: 1, end: end}
}

// takeProvider gives a file that is put into the list the gate of its Provider.
func (c *Client) takeProvider(e *entry) {
	if x := e.extras; x != nil && x.provider != nil {
		x.gate.Store(c.shared.providers.take(x.provider, c.newProviderGate))
	}
}

// releaseProvider gives up a file's Provider: no request of the file is signed any more.
func (c *Client) releaseProvider(e *entry) {
	if x := e.extras; x != nil {
		if g := x.gate.Swap(nil); g != nil {
			c.shared.providers.release(g)
		}
		x.provider = nil
	}
}
