// Package credentials holds the credentials that requests are signed with, and lets
// those who need the next ones wait for them. It calls nobody back but the
// [sts.Provider]: whom to inform, and of what, is returned as values.
//
// A [Gate] has one set of credentials. A request takes them with [Gate.Current], and
// reports with [Gate.Refused] or [Gate.Accepted] what the server said of them. Without
// good ones [Gate.Wait] waits until the provider gives some, or somebody calls
// [Gate.Set]; [Gate.TakeQuestion] says when that somebody has to be asked.
package credentials

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/tasks"
)

// Options are what a [Gate] is made of. Wait, Go and Logger are required.
type Options struct {
	Provider sts.Provider                     // nil: somebody calls Set
	Wait     time.Duration                    // how long the next credentials are waited for
	Go       func(func(context.Context)) bool // runs what asks the provider on a goroutine; false: no more
	Logger   *slog.Logger                     // gets each answer of the provider that is of no use
	Counts   *Counts                          // counts what the gate does; nil: nobody wants to know
}

// A Snapshot is one generation of credentials. No two gates of a process have the same
// generation.
type Snapshot struct {
	sts.Credentials
	Generation uint64
}

var generations atomic.Uint64

// A Gate holds one set of credentials, and those who wait for the next. Its methods may
// be called from any goroutine, and under any lock but those that Options.Go takes.
//
// The next ones are asked for once per generation: the first who finds that a token is
// no longer accepted marks the generation as expired; refusals of an older generation
// are ignored, and retried with the current one.
type Gate struct {
	opts Options

	mu       sync.Mutex
	snap     Snapshot
	have     bool
	expired  bool      // snap must not be used any more
	refused  bool      // and it was the server that said so
	asked    bool      // and the user was asked for the next
	until    time.Time // when snap counts as expired; zero: when the server says so
	refusals int       // tokens refused in a row
	cause    error     // why the last one was refused
	asking   bool      // a goroutine asks the provider
	answer   error     // what the provider failed with last
	tries    int       // how often it failed
	hopeless int       // of these, in a row, with what cannot pass by itself
	failed   error     // no new token will come
	failedAt time.Time
	changed  tasks.Signal
	tried    tasks.Signal // broadcast when the provider has failed
}

// New returns a gate without credentials.
func New(o Options) *Gate {
	if o.Counts == nil {
		o.Counts = new(Counts)
	}
	return &Gate{opts: o}
}

// Provided reports whether a provider brings the next credentials, so that nobody needs
// to be asked.
func (g *Gate) Provided() bool { return g.opts.Provider != nil }

// Given reports whether there were credentials at some time, good or expired.
func (g *Gate) Given() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.have
}

// Set replaces the credentials. Those that the server has refused are an error.
func (g *Gate) Set(c sts.Credentials) error {
	if err := c.Validate(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.putLocked(c)
}

func (g *Gate) putLocked(c sts.Credentials) error {
	again := g.have && same(c, g.snap.Credentials)
	if again && g.refused {
		return errSameToken
	}
	g.opts.Counts.Received.Add(1)
	g.snap = Snapshot{Credentials: c, Generation: generations.Add(1)}
	g.have, g.expired, g.refused, g.asked, g.failed, g.answer, g.hopeless = true, false, false, false, nil, nil, 0
	g.until = usableUntil(time.Now(), c.Deadline())
	if again { // expired by the clock, and given again: let the server decide
		g.until = time.Time{}
	}
	g.changed.Broadcast()
	return nil
}

// Current returns the credentials to sign with now; ok is false if there are none that
// are good: then Wait.
func (g *Gate) Current() (s Snapshot, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.have && !g.expired && !g.until.IsZero() && !time.Now().Before(g.until) {
		g.expired = true
		g.cause = fmt.Errorf("it expires at %s", g.snap.Expiration.UTC().Format(time.RFC3339))
	}
	if g.lackingLocked() {
		return Snapshot{}, false
	}
	return g.snap, true
}

// lackingLocked reports whether there are no credentials that are good.
func (g *Gate) lackingLocked() bool { return !g.have || g.expired }

// Refused records that the server refused a generation, and its words.
func (g *Gate) Refused(generation uint64, cause error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.have || g.refused || g.snap.Generation != generation {
		return
	}
	g.expired, g.refused, g.cause = true, true, cause
	g.refusals++
	if g.refusals >= MaxRefusals {
		g.failLocked(TooManyRefusals(g.refusals, cause))
	}
}

// Accepted records that the server accepted a generation.
func (g *Gate) Accepted(generation uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.snap.Generation == generation {
		g.refusals = 0
	}
}

// Expires returns when the credentials do by what they say themselves; zero: never, or
// there are none.
func (g *Gate) Expires() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.snap.Deadline()
}

// Expired reports whether the credentials have expired, by the server's word or by the
// clock as far as Current was called since, and no new ones came.
func (g *Gate) Expired() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.expired
}

// TakeQuestion returns true once for each generation that expired: to the caller that is
// to ask the user for the next one.
func (g *Gate) TakeQuestion() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.expired && !g.asked
	g.asked = g.asked || first
	return first
}

// PutBackQuestion lets TakeQuestion return true once more, because the caller that
// asked the user does not wait for the answer any longer. Those who still wait look
// again, and one of them asks.
func (g *Gate) PutBackQuestion() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = false
	g.changed.Broadcast()
}
