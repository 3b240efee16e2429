package sts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vodupload/vodupload/sts/internal/roundtrip"
)

// A Cache is a [Provider] that keeps the credentials of another one and renews
// them. It is safe for use by many goroutines, and asks its provider for one set
// of credentials at a time.
//
// Credentials without an expiration are handed out for as long as nobody calls
// [Cache.Invalidate]; every 10 minutes they are renewed in the background.
type Cache struct {
	provider Provider
	opts     CacheOptions
	held     atomic.Pointer[held] // nil: nothing yet

	mu       sync.Mutex
	running  *renewal // nil: none
	refused  *Credentials
	failures int
	lastErr  error     // of the last renewal; nil if it succeeded
	pausedAt time.Time // when the last renewal ended
	retryAt  time.Time // no renewal starts between the two
	closed   bool
}

// A renewal is one call of the provider, and those who wait for it.
type renewal struct {
	cancel context.CancelFunc
	done   chan struct{} // closed at the end; what follows is set then
	creds  *Credentials
	err    *RenewError // nil: it succeeded
}

// NewCache returns a cache of the credentials of p. If p panics, that is an error of the
// renewal, and the log of the options has the stack.
func NewCache(p Provider, opts *CacheOptions) (*Cache, error) {
	if p == nil {
		return nil, errors.New("sts: the cache's provider is nil")
	}
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	return &Cache{provider: p, opts: o}, nil
}

// Credentials returns good credentials, from memory where it can. It waits for
// the provider only if there are none or they are about to expire, and returns
// ctx's error if that ends first; the renewal continues for the other callers. If
// the last renewal failed and there is nothing good left, the error is a
// [*RenewError], at once until the next attempt is due.
func (c *Cache) Credentials(ctx context.Context) (Credentials, error) {
	if err := ctx.Err(); err != nil {
		return Credentials{}, c.waitError(ctx)
	}
	if h := c.held.Load(); h.at(now()) == fresh {
		return h.creds, nil
	}
	creds, r, err := c.join(ctx)
	if r == nil {
		return creds, err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return Credentials{}, c.waitError(ctx)
	}
	if r.err == nil {
		return *r.creds, nil
	}
	if h := c.held.Load(); h.at(now()).usable() {
		return h.creds, nil
	}
	return Credentials{}, r.err
}

// join starts a renewal if one is due. It returns credentials or an error that
// need no waiting, or else the renewal to wait for.
func (c *Cache) join(ctx context.Context) (Credentials, *renewal, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.held.Load()
	phase := h.at(now())
	// A pause after a success only spares the provider: it yields to need.
	due := !pausing(c.pausedAt, c.retryAt, now()) || phase == none && c.lastErr == nil
	if c.running == nil && phase != fresh && !c.closed && due {
		c.start(ctx)
	}
	switch {
	case phase == fresh, phase == stale:
		return h.creds, nil, nil
	case c.running != nil:
		return Credentials{}, c.running, nil
	case phase == late:
		return h.creds, nil, nil
	case c.closed:
		return Credentials{}, nil, ErrClosed
	}
	return Credentials{}, nil, &RenewError{Err: c.lastErr, Failures: c.failures, RetryAt: c.retryAt}
}

// start begins a renewal. It must not end with the caller that happens to be the
// first: others wait for it too.
func (c *Cache) start(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), c.opts.Timeout,
		fmt.Errorf("no credentials within %v: %w", c.opts.Timeout, context.DeadlineExceeded))
	c.running = &renewal{cancel: cancel, done: make(chan struct{})}
	go c.renew(ctx, c.running)
}

func (c *Cache) renew(ctx context.Context, r *renewal) {
	// A provider that exits the goroutine must not leave the others waiting.
	var creds Credentials
	err := errors.New("the provider did not return")
	defer func() { c.finish(ctx, r, creds, err) }()
	creds, err = c.ask(ctx)
}

// ask calls the provider. Its panic is an error: on this goroutine, it would end a
// process whose own goroutines may be protected, as those of net/http are.
func (c *Cache) ask(ctx context.Context) (creds Credentials, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the provider panicked: %s", scrub(roundtrip.PanicText(v)))
			c.opts.Logger.Error("the provider of credentials panicked", "error", err, "stack", string(debug.Stack()))
		}
	}()
	return c.provider.Credentials(ctx)
}

func (c *Cache) finish(ctx context.Context, r *renewal, creds Credentials, err error) {
	defer close(r.done)
	defer r.cancel()
	log := c.record(r, creds, err)
	if err != nil {
		c.judge(ctx, r, err)
	}
	log()
}

// judge adds to a recorded failure what the provider's error says. Its methods are not called
// before: those that need credentials of this very cache would wait for the renewal to end.
func (c *Cache) judge(ctx context.Context, r *renewal, err error) {
	asked, err := judged(ctx, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	renew := r.err
	renew.Err = err
	if until := now().Add(min(asked, maxRetryAfter)); until.After(renew.RetryAt) {
		renew.RetryAt = until
	}
	if c.running == nil && c.failures == renew.Failures { // no other renewal since
		c.lastErr, c.retryAt = err, renew.RetryAt
	}
}

// judged returns the pause that the error of a provider asks for, and the error, or why its
// context ended where it says no more than that. A panic of its methods is an error.
func judged(ctx context.Context, err error) (asked time.Duration, cause error) {
	defer func() {
		if v := recover(); v != nil {
			cause = fmt.Errorf("the provider's error, a %T, panicked: %s", err, scrub(roundtrip.PanicText(v)))
		}
	}()
	asked, cause = retryAfterOf(err), err
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		cause = context.Cause(ctx)
	}
	return asked, cause
}

// record records the end of a renewal, and returns what logs it. Under the lock neither the
// Logger nor an error of the provider is called: a handler that sends its lines away may need
// credentials of this very cache.
func (c *Cache) record(r *renewal, creds Credentials, err error) (log func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = nil
	at := now()
	c.pausedAt = at
	if err == nil {
		err = c.check(creds, at)
	}
	if err != nil {
		return c.failed(r, err, at)
	}
	return c.succeeded(r, creds, at)
}

// check refuses credentials that would be of no use.
func (c *Cache) check(creds Credentials, at time.Time) error {
	if err := creds.Validate(); err != nil {
		return err
	}
	if end := creds.Deadline(); !end.IsZero() && !at.Before(end) {
		return fmt.Errorf("%w: the provider gave some that expired at %s, %v ago by this machine's clock",
			ErrExpired, creds.expires(), at.Sub(end).Round(time.Second))
	}
	if c.refused != nil && c.refused.same(creds) {
		return ErrRefused
	}
	return nil
}

// maxAhead is the difference of clocks that is worth a warning.
const maxAhead = time.Minute

func (c *Cache) succeeded(r *renewal, creds Credentials, at time.Time) (log func()) {
	r.creds = &creds
	old := c.held.Load()
	c.retryAt = time.Time{}
	if old != nil && old.creds.same(creds) {
		// The provider has a cache of its own and nothing newer: a request that
		// needs no renewal yet should not ask again.
		c.retryAt = at.Add(c.opts.RetryMin)
	}
	c.failures, c.lastErr, c.refused = 0, nil, nil
	c.held.Store(newHeld(creds, at, c.opts, rand.Float64()))
	return func() {
		if creds.ahead.Abs() > maxAhead {
			c.opts.Logger.Warn("this machine's clock is off: tokens are renewed by the service's", "behind", creds.ahead.Round(time.Second))
		}
	}
}

func (c *Cache) failed(r *renewal, err error, at time.Time) (log func()) {
	c.failures++
	c.lastErr = err
	c.retryAt = at.Add(retryPause(c.opts, c.failures, rand.Float64()))
	renew := &RenewError{Err: err, Failures: c.failures, RetryAt: c.retryAt}
	r.err = renew
	kept := c.held.Load().at(at).usable()
	return func() {
		c.opts.Logger.Warn("credentials not renewed", "error", renew.Err, "failures", renew.Failures, "retry_at", renew.RetryAt, "kept", kept)
	}
}

// Invalidate takes creds out of the cache, because a server refused them; it does
// nothing if they are not what the cache has now. If the provider then gives
// them again, that counts as a failure. Long-lived keys stay, since a provider
// has nothing newer for them.
func (c *Cache) Invalidate(creds Credentials) {
	if !creds.Temporary() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.held.Load()
	if h == nil || !h.creds.same(creds) {
		return
	}
	c.held.Store(nil)
	c.refused = &creds
	if c.lastErr == nil {
		c.retryAt = time.Time{}
	}
}

// Close ends a renewal that is under way and waits for it. Afterwards the cache
// still hands out what it has until that expires, and then [ErrClosed].
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	r := c.running
	c.mu.Unlock()
	if r != nil {
		r.cancel()
		<-r.done
	}
	return nil
}

// waitError is the error of a caller whose context ended, with what has been in
// the way of credentials.
func (c *Cache) waitError(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	c.mu.Lock()
	last := c.lastErr
	c.mu.Unlock()
	if last != nil { // its text may be a user's: it is not made under the lock
		return fmt.Errorf("sts: wait for credentials: %w (the last renewal: %w)", err, last)
	}
	return fmt.Errorf("sts: wait for credentials: %w", err)
}

// Format writes the cache's credentials without their secrets, whatever the
// verb: fmt would print the fields inside, where the secrets are.
func (c *Cache) Format(f fmt.State, _ rune) {
	text := "empty"
	if h := c.held.Load(); h != nil {
		text = h.creds.String()
	}
	_, _ = io.WriteString(f, "sts.Cache("+text+")")
}
