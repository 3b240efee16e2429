package credentials

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// renewInterval and maxRenewInterval are how far apart a provider is asked that fails,
// or that gives what the server refuses.
const (
	renewInterval    = 500 * time.Millisecond
	maxRenewInterval = 30 * time.Second

	// maxHopeless is how many answers in a row that cannot pass by themselves end the
	// asking: 3.5 s after the first. A server that is being restarted may give one, too.
	maxHopeless = 4
)

// ask asks the provider until it gives credentials that are new, at most for
// Options.Wait. After tokens that were refused it takes its time.
func (g *Gate) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, g.opts.Wait)
	defer cancel()
	refusals := g.invalidate()
	pause := min(renewInterval<<min(refusals, 8), maxRenewInterval)
	for again := refusals > 1; ctx.Err() == nil; again = true {
		if again {
			if tasks.Sleep(ctx, pause) != nil {
				break
			}
			pause = min(2*pause, maxRenewInterval)
		}
		if !g.stillAsked() || g.answered(g.call(ctx)) {
			return
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asking = false
	if g.lackingLocked() {
		g.failLocked(g.noneWithinLocked(g.opts.Wait))
	}
}

// invalidate informs a provider that keeps credentials which of them were refused. It
// returns how many were in a row.
func (g *Gate) invalidate() int {
	g.mu.Lock()
	refused, creds, n := g.refused, g.snap.Credentials, g.refusals
	g.mu.Unlock()
	if keeper, ok := g.opts.Provider.(sts.Invalidator); ok && refused {
		err := guarded(func() error {
			keeper.Invalidate(creds)
			return nil
		})
		if err != nil {
			g.opts.Logger.Warn("refused credentials stay with their provider", "error", err)
		}
	}
	return n
}

// call asks the provider once.
func (g *Gate) call(ctx context.Context) (c sts.Credentials, err error) {
	g.opts.Counts.Asked.Add(1)
	err = guarded(func() (err error) {
		if c, err = g.opts.Provider.Credentials(ctx); err != nil {
			_ = err.Error() // as later, outside of guarded: it panics where err is a nil pointer
		}
		return err
	})
	return c, err
}

// guarded makes a call of the provider. On a goroutine of this library, a panic of it
// would end the process, and its runtime.Goexit would leave files waiting for ever.
func guarded(fn func() error) (err error) {
	exit := tasks.Alone(func() {
		defer recovered(&err)
		err = fn()
	})
	if exit != nil {
		return fmt.Errorf("the provider %w", exit)
	}
	return err
}

// recovered makes an error of a panic. Values other than errors and strings are named
// by their type alone: they may hold a secret.
func recovered(err *error) {
	switch v := recover().(type) {
	case nil:
	case error:
		*err = fmt.Errorf("the provider panicked: %w", v)
	case string:
		*err = fmt.Errorf("the provider panicked: %s", v)
	default:
		*err = fmt.Errorf("the provider panicked with a value of type %T", v)
	}
}

// stillAsked reports whether new credentials are still needed; if not, the asking is
// over: Set was called meanwhile.
func (g *Gate) stillAsked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asking = g.lackingLocked()
	return g.asking
}

// answered records the provider's answer and returns whether the asking is over.
func (g *Gate) answered(c sts.Credentials, err error) bool {
	if err == nil {
		err = c.Validate()
	}
	over := g.record(c, &err, outlookOf(err))
	if err != nil {
		g.opts.Logger.Warn("no new credentials yet", "error", err)
	}
	return over
}

func (g *Gate) record(c sts.Credentials, err *error, o outlook) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if *err == nil && g.lackingLocked() {
		*err = g.putLocked(c)
	}
	never := g.lackingLocked() && g.hopelessLocked(o)
	if never {
		g.hopeless = 0
		g.failLocked(g.neverLocked(*err))
	}
	// Together with the credentials: a caller that finds them expired may ask again.
	g.answer, g.asking = *err, g.lackingLocked() && !never
	if *err != nil {
		g.tries++
		g.tried.Broadcast()
	}
	return !g.asking
}

// An outlook is what a provider's answer says of its next ones.
type outlook int

const (
	mayPass outlook = iota
	hardlyPasses
	neverPasses
)

// outlookOf asks an error, which may be of a user's type: not under a lock.
func outlookOf(err error) outlook {
	switch {
	case errors.Is(err, ErrNotRenewable), sts.Permanent(err) && errors.Is(err, sts.ErrInvalidCredentials):
		return neverPasses
	case sts.Permanent(err):
		return hardlyPasses
	}
	return mayPass
}

// hopelessLocked reports whether the provider will give no credentials. Most answers that say
// so have to come a few times in a row.
func (g *Gate) hopelessLocked(o outlook) bool {
	if o == mayPass {
		g.hopeless = 0
		return false
	}
	g.hopeless++
	return g.hopeless >= maxHopeless || o == neverPasses
}
