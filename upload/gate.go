package upload

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/tasks"
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
	provider   sts.Provider // nil: somebody calls set
	wait       time.Duration
	run        func(func(context.Context)) bool // on a goroutine that the client waits for
	generation func() uint64                    // the next number, unique over all gates of the client
	warn       func(msg string, err error)

	mu       sync.Mutex
	snap     transfer.Snapshot
	have     bool
	expired  bool      // snap must not be used any more
	refused  bool      // and it was the server that said so
	told     bool      // and the user knows
	until    time.Time // when snap counts as expired; zero: when the server says so
	refusals int       // tokens refused in a row
	cause    error     // why the last one was refused
	asking   bool      // a goroutine asks the provider
	answer   error     // what the provider failed with last
	failed   error     // no new token will come
	failedAt time.Time
	changed  tasks.Signal
}

// errSameToken refuses credentials that the server has refused.
var errSameToken = errors.New("these are the credentials that the server refused")

// set takes new credentials. Those that the server refused are not new.
func (g *gate) set(c sts.Credentials) error {
	if err := c.Validate(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.put(c)
}

// put is called with the lock held.
func (g *gate) put(c sts.Credentials) error {
	again := g.have && same(c, g.snap.Credentials)
	if again && g.refused {
		return errSameToken
	}
	g.snap = transfer.Snapshot{Credentials: c, Generation: g.generation()}
	g.have, g.expired, g.refused, g.told, g.failed, g.answer = true, false, false, false, nil, nil
	g.until = usableUntil(time.Now(), c.Deadline())
	if again { // expired by the clock, and given again: let the server decide
		g.until = time.Time{}
	}
	g.changed.Broadcast()
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

// current returns the credentials of now; ok is false if there are none that are
// good.
func (g *gate) current() (s transfer.Snapshot, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.have && !g.expired && !g.until.IsZero() && !time.Now().Before(g.until) {
		g.expired = true
		g.cause = fmt.Errorf("it expires at %s", g.snap.Expiration.UTC().Format(time.RFC3339))
	}
	if g.lacking() {
		return transfer.Snapshot{}, false
	}
	return g.snap, true
}

// lacking reports whether there are no credentials that are good. It is called with
// the lock held.
func (g *gate) lacking() bool { return !g.have || g.expired }

// expire takes the server's refusal of a generation. Answers to requests of older
// ones are old news.
func (g *gate) expire(generation uint64, cause error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.have || g.refused || g.snap.Generation != generation {
		return
	}
	g.expired, g.refused, g.cause = true, true, cause
	g.refusals++
	if g.refusals >= maxRefusals {
		g.fail(tooManyRefusals(g.refusals, cause))
	}
}

func tooManyRefusals(n int, last error) error {
	return fmt.Errorf("%w: the server refused %d tokens in a row, the last with: %w", ErrTokenExpired, n, last)
}

func (g *gate) accept(generation uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.snap.Generation == generation {
		g.refusals = 0
	}
}

// waits reports whether the credentials have expired and no new ones came.
func (g *gate) waits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.expired
}

// tell returns true once for each generation that expired: to who tells the user.
func (g *gate) tell() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.expired && !g.told
	g.told = g.told || first
	return first
}

// want says that somebody waits for credentials. It returns what tells a change,
// or why none will come, and begins to ask the provider.
func (g *gate) want() (<-chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	changed := g.changed.C()
	switch {
	case !g.lacking():
		return closedChannel, nil
	case g.failed != nil && time.Since(g.failedAt) < failedFor:
		return nil, g.failed
	case g.failed != nil:
		g.failed, g.refusals = nil, 0
	}
	if g.provider != nil && !g.asking {
		g.asking = g.run(g.ask)
	}
	return changed, nil
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// ask asks the provider until it gives credentials that are new, at most for wait.
// After tokens that were refused it takes its time.
func (g *gate) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, g.wait)
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
		if !g.stillAsked() || g.answered(g.provider.Credentials(ctx)) {
			return
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asking = false
	if g.lacking() {
		g.fail(g.noneWithin(g.wait))
	}
}

// invalidate tells a provider that keeps credentials which of them were refused, and
// returns how many were in a row.
func (g *gate) invalidate() int {
	g.mu.Lock()
	refused, creds, n := g.refused, g.snap.Credentials, g.refusals
	g.mu.Unlock()
	if keeper, ok := g.provider.(sts.Invalidator); ok && refused {
		keeper.Invalidate(creds)
	}
	return n
}

// stillAsked reports whether new credentials are wanted; if not, the asking is over:
// somebody called set meanwhile.
func (g *gate) stillAsked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asking = g.lacking()
	return g.asking
}

// answered takes the provider's answer, and returns whether the asking is over.
func (g *gate) answered(c sts.Credentials, err error) bool {
	if err == nil {
		err = c.Validate()
	}
	g.mu.Lock()
	if err == nil && g.lacking() {
		err = g.put(c)
	}
	never := g.lacking() && (errors.Is(err, ErrNotRenewable) || errors.Is(err, sts.ErrInvalidCredentials))
	if never {
		g.fail(fmt.Errorf("%w: %w", g.missing(), err))
	}
	g.answer, g.asking = err, g.lacking() && !never // at once with put: who finds them expired again may ask again
	over := !g.asking
	g.mu.Unlock()
	if err != nil {
		g.warn("no new credentials yet", err)
	}
	return over
}

// fail tells all who wait that they wait in vain. It is called with the lock held.
func (g *gate) fail(err error) {
	g.failed, g.failedAt = err, time.Now()
	g.changed.Broadcast()
}

// overdue returns the error of a file that waited too long. Who was told could not
// help, or forgot: the next file that waits has it told again.
func (g *gate) overdue() error {
	g.askAgain()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.noneWithin(g.wait)
}

// askAgain has the next who waits ask the user once more. A clean-up, whose time is
// short, may have been the only one that waited for the answer.
func (g *gate) askAgain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = false
}

// missing is what the files that wait for credentials fail with. It is called with
// the lock held.
func (g *gate) missing() error {
	if g.have {
		return ErrTokenExpired
	}
	return ErrNoCredentials
}

// noneWithin says what did not come. It is called with the lock held.
func (g *gate) noneWithin(d time.Duration) error {
	err := fmt.Errorf("%w were given within %v", g.missing(), d)
	if g.have {
		err = fmt.Errorf("%w: no new token was given within %v; the old one: %w", ErrTokenExpired, d, g.cause)
	}
	switch {
	case g.answer != nil:
		return fmt.Errorf("%w; the provider's last answer: %w", err, g.answer)
	case g.provider != nil:
		return fmt.Errorf("%w; the provider has not answered", err)
	case !g.have:
		return fmt.Errorf("%w: call Init, SetToken or ResumeWithToken, or set Options.Credentials", err)
	}
	return err
}
