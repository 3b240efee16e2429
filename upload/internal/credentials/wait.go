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
// when none will come; or the cause of the end of ctx. failed, which may be nil, is called
// with the number and the error of the provider's last attempt, if that failed, and of
// each that fails meanwhile.
func (g *Gate) Wait(ctx context.Context, other <-chan struct{}, failed func(attempt int, err error)) error {
	changed, err := g.request()
	if err != nil {
		return err
	}
	t := time.NewTimer(g.opts.Wait)
	defer t.Stop()
	for seen := 0; ; {
		tried := g.tried.C()
		if n, err := g.lastTry(); err != nil && n != seen && failed != nil {
			seen = n
			failed(n, err)
		}
		select {
		case <-changed:
			return nil
		case <-other:
			return nil
		case <-tried:
		case <-t.C:
			return g.overdue()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// lastTry returns how often the provider has failed, and what it failed with last; nil if
// it has given credentials since.
func (g *Gate) lastTry() (n int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tries, g.answer
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
