package upload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

const (
	// earliest bounds how long before its expiration a token is replaced: a request
	// that is signed now may be judged when its body has arrived.
	earliest = time.Minute

	// maxRefusals is how many new tokens in a row may be refused before the files
	// that need one fail: the tokens are not merely old, they are wrong.
	maxRefusals = 10

	// renewInterval and maxRenewInterval are how far apart a Provider is asked that
	// fails, or that gives what the server refuses.
	renewInterval    = 500 * time.Millisecond
	maxRenewInterval = 30 * time.Second

	// failedFor is how long a gate that gave up says so to all who wait. Who comes
	// later gets another try.
	failedFor = 5 * time.Second
)

// A gate holds one set of credentials and those who wait for the next.
//
// It is asked for once per generation: the first who finds that a token is no
// longer accepted marks the generation as expired, and whoever comes with an
// answer to an older one is sent on with the present.
type gate struct {
	provider sts.Provider // nil: somebody calls set
	wait     time.Duration
	background
	generation func() uint64 // the next number, unique over all gates of the client
	warn       func(msg string, err error)
	renewed    func() // called without the lock after set

	mu       sync.Mutex
	snap     transfer.Snapshot
	have     bool
	expired  bool      // snap must not be used any more
	refused  bool      // and it was the server that said so
	until    time.Time // when snap counts as expired; zero: when the server says so
	refusals int       // tokens refused in a row
	cause    error     // why the last one was refused
	asking   bool      // a goroutine asks the provider
	failed   error     // no new token will come
	failedAt time.Time
	changed  chan struct{}
}

// A background starts goroutines that the client waits for.
type background interface {
	goDo(func(ctx context.Context)) bool
}

// errSameToken refuses credentials that the server has refused.
var errSameToken = errors.New("these are the credentials that the server refused")

// set takes new credentials. Those that the server refused are not new.
func (g *gate) set(c sts.Credentials) error { return g.put(c, false) }

// put is set; answer tells that they are what the provider was asked for.
func (g *gate) put(c sts.Credentials, answer bool) error {
	if err := c.Validate(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.refused && same(c, g.snap.Credentials) {
		g.mu.Unlock()
		return errSameToken
	}
	soon := same(c, g.snap.Credentials) // expired by the clock, and given again: let the server decide
	g.snap = transfer.Snapshot{Credentials: c, Generation: g.generation()}
	g.have, g.expired, g.refused, g.failed = true, false, false, nil
	g.asking = g.asking && !answer
	g.until = time.Time{}
	if !soon {
		g.until = usableUntil(time.Now(), c.Expiration)
	}
	g.wake()
	g.mu.Unlock()
	g.renewed()
	return nil
}

// usableUntil returns when credentials that were given at now are to be replaced.
// For a token that is past its time already the clock may be wrong: it is for the
// server to say.
func usableUntil(now, expiration time.Time) time.Time {
	life := expiration.Sub(now)
	if expiration.IsZero() || life <= 0 {
		return time.Time{}
	}
	return expiration.Add(-min(earliest, life/10))
}

func same(a, b sts.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.AccessKeySecret == b.AccessKeySecret && a.SecurityToken == b.SecurityToken
}

// current returns the credentials of now. first is true for the one caller that
// found them expired by the clock.
func (g *gate) current() (s transfer.Snapshot, ok, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.have || g.expired {
		return transfer.Snapshot{}, false, false
	}
	if !g.until.IsZero() && !time.Now().Before(g.until) {
		g.expired = true
		g.cause = fmt.Errorf("it expires at %s", g.snap.Expiration.UTC().Format(time.RFC3339))
		return transfer.Snapshot{}, false, true
	}
	return g.snap, true, false
}

// expire takes the server's refusal of a generation. It returns true for the first
// of the present one; answers to requests of older ones are old news.
func (g *gate) expire(generation uint64, cause error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.have || g.expired || g.snap.Generation != generation {
		return false
	}
	g.expired, g.refused, g.cause = true, true, cause
	if g.refusals++; g.refusals >= maxRefusals {
		g.fail(fmt.Errorf("%w: the server refused %d tokens in a row, the last with: %w", ErrTokenExpired, g.refusals, cause))
	}
	return true
}

func (g *gate) accept(generation uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.snap.Generation == generation {
		g.refusals = 0
	}
}

// want says that somebody waits for credentials. It returns what tells a change,
// or why none will come, and begins to ask the provider.
func (g *gate) want() (<-chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.have && !g.expired {
		done := make(chan struct{})
		close(done)
		return done, nil
	}
	if g.failed != nil && time.Since(g.failedAt) < failedFor {
		return nil, g.failed
	}
	if g.failed != nil {
		g.failed, g.refusals = nil, 0
	}
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	if g.provider != nil && !g.asking {
		g.asking = g.goDo(g.ask)
	}
	return g.changed, nil
}

// wake tells all who wait. It is called with the lock held.
func (g *gate) wake() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// ask asks the provider until it gives credentials that are new, at most for wait.
// After tokens that were refused it takes its time.
func (g *gate) ask(ctx context.Context) {
	g.mu.Lock()
	refusals := g.refusals
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, g.wait)
	defer cancel()
	var err error
	for pause := renewInterval << min(refusals, 6); ; pause = min(2*pause, maxRenewInterval) {
		if (err != nil || refusals > 1) && sleepCtx(ctx, pause) != nil {
			break
		}
		var c sts.Credentials
		if c, err = g.provider.Credentials(ctx); err == nil {
			err = g.put(c, true)
		}
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			break
		}
		g.warn("no new credentials yet", err)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asking = false
	g.fail(fmt.Errorf("%w: the provider gave no new token within %v: %w", ErrTokenExpired, g.wait, err))
}

// fail tells all who wait that they wait in vain. It is called with the lock held.
func (g *gate) fail(err error) {
	g.failed, g.failedAt = err, time.Now()
	g.wake()
}

// overdue returns the error of a file that waited too long.
func (g *gate) overdue() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.have {
		return fmt.Errorf("%w: no credentials were given within %v: call Init, SetToken or ResumeWithToken, or set Options.Credentials", ErrTokenExpired, g.wait)
	}
	return fmt.Errorf("%w: no new token was given within %v; the old one: %w", ErrTokenExpired, g.wait, g.cause)
}

func sleepCtx(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A fileGate is the gate as one file sees it: its own credentials if it was given
// some, else those of the client.
type fileGate struct {
	c *Client
	f *file
}

func (fg fileGate) gate() *gate {
	if own := fg.f.own.Load(); own != nil {
		return own
	}
	return fg.c.gate
}

func (fg fileGate) Current() (transfer.Snapshot, bool) {
	g := fg.gate()
	s, ok, first := g.current()
	if first {
		fg.c.tokenExpired(fg.f, g)
	}
	return s, ok
}

func (fg fileGate) Expired(generation uint64, cause error) {
	if g := fg.gate(); g.expire(generation, cause) {
		fg.c.tokenExpired(fg.f, g)
	}
}

func (fg fileGate) Accepted(generation uint64) { fg.gate().accept(generation) }

// Wait waits for new credentials, also for the first of the file's own.
func (fg fileGate) Wait(ctx context.Context) error {
	given := fg.f.given.wait() // before looking at the gate, so as not to miss it
	g := fg.gate()
	changed, err := g.want()
	if err != nil {
		return err
	}
	t := time.NewTimer(g.wait)
	defer t.Stop()
	select {
	case <-changed:
		return nil
	case <-given:
		return nil
	case <-t.C:
		return g.overdue()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
