package credentials

import (
	"context"
	"time"
)

// failedFor is how long a gate returns its failure to those who wait. Later callers
// trigger another attempt.
const failedFor = 5 * time.Second

// Wait waits until there may be good credentials, for as long as Options.Wait, and has
// the provider asked. It returns nil when Current is worth another look, or when other,
// which may be nil, is closed; an error that is [ErrTokenExpired] or [ErrNoCredentials]
// when none will come; or the cause of the end of ctx.
func (g *Gate) Wait(ctx context.Context, other <-chan struct{}) error {
	changed, err := g.request()
	if err != nil {
		return err
	}
	t := time.NewTimer(g.opts.Wait)
	defer t.Stop()
	select {
	case <-changed:
		return nil
	case <-other:
		return nil
	case <-t.C:
		return g.overdue()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// request has the provider asked. It returns a channel that is closed on a change, or
// why none will come.
func (g *Gate) request() (<-chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	changed := g.changed.C()
	switch {
	case !g.lackingLocked():
		return closedChannel, nil
	case g.failed != nil && time.Since(g.failedAt) < failedFor:
		return nil, g.failed
	case g.failed != nil:
		g.failed, g.refusals = nil, 0
	}
	if g.opts.Provider != nil && !g.asking {
		g.asking = g.opts.Go(g.ask)
	}
	return changed, nil
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// failLocked wakes all who wait, with an error.
func (g *Gate) failLocked(err error) {
	g.failed, g.failedAt = err, time.Now()
	g.changed.Broadcast()
}

// overdue returns the error of a caller that waited too long. The user who was asked
// could not help, or forgot: the next caller that waits has them asked again.
func (g *Gate) overdue() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = false
	return g.noneWithinLocked(g.opts.Wait)
}
