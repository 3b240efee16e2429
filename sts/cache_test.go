package sts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
)

// An issuer is a provider that makes a new token at each call, like STS, and
// watches over those who call it.
type issuer struct {
	life  time.Duration // of the tokens; 0: no expiration
	takes time.Duration // time that a call takes
	same  bool          // gives the same token again and again

	mu    sync.Mutex
	fail  error
	calls int
	busy  int
	most  int
}

func (i *issuer) Credentials(ctx context.Context) (sts.Credentials, error) {
	i.mu.Lock()
	i.calls++
	i.busy++
	i.most = max(i.most, i.busy)
	i.mu.Unlock()
	defer func() { i.mu.Lock(); i.busy--; i.mu.Unlock() }()
	if i.takes > 0 {
		select {
		case <-time.After(i.takes):
		case <-ctx.Done():
			return sts.Credentials{}, fmt.Errorf("issue a token: %w", ctx.Err())
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fail != nil {
		return sts.Credentials{}, i.fail
	}
	n := i.calls
	if i.same {
		n = 1
	}
	return i.token(n), nil
}

func (i *issuer) token(n int) sts.Credentials {
	c := sts.Credentials{AccessKeyID: fmt.Sprintf("STS.%d", n), AccessKeySecret: testSecret, SecurityToken: fmt.Sprint("token-", n)}
	if i.life > 0 {
		c.Expiration = time.Now().Add(i.life)
	}
	return c
}

func (i *issuer) set(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fail = err
}

func (i *issuer) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls
}

func newCache(t *testing.T, p sts.Provider, opts *sts.CacheOptions) *sts.Cache {
	t.Helper()
	c, err := sts.NewCache(p, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustGet(t *testing.T, c *sts.Cache) sts.Credentials {
	t.Helper()
	creds, err := c.Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return creds
}

// The promise: whatever the load, one call per life of a token, one at a time, and
// never an expired token.
func TestCacheUnderAThousandGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: 15 * time.Minute, takes: 2 * time.Second}
		c := newCache(t, p, nil)
		defer c.Close()
		const hours = 2
		end := time.Now().Add(hours * time.Hour)
		var handed atomic.Int64
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				for time.Now().Before(end) {
					creds, err := c.Credentials(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					if !time.Now().Before(creds.Expiration) {
						t.Errorf("token handed out %v after it expired", time.Since(creds.Expiration))
						return
					}
					handed.Add(1)
					time.Sleep(time.Duration(rand.Int64N(int64(time.Minute))))
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		if p.most != 1 {
			t.Errorf("%d calls of the provider at once, want 1", p.most)
		}
		// A token is used for 0.7 to 0.8 of its 15 minutes.
		if low, high := hours*60/12, hours*60*10/105+1; p.calls < low || p.calls > high {
			t.Errorf("%d calls of the provider in %d hours, want %d to %d", p.calls, hours, low, high)
		}
		if handed.Load() < 1000*hours*60 {
			t.Errorf("only %d tokens were handed out", handed.Load())
		}
	})
}

func TestCacheServesTheOldTokenWhileItRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: 10 * time.Minute, takes: 5 * time.Second}
		c := newCache(t, p, nil)
		first := mustGet(t, c)
		time.Sleep(8*time.Minute + time.Second)
		at := time.Now()
		if got := mustGet(t, c); got != first || time.Since(at) != 0 {
			t.Errorf("got %v after %v, want the old token at once", got, time.Since(at))
		}
		time.Sleep(6 * time.Second)
		if got := mustGet(t, c); got == first {
			t.Error("got the old token after the renewal")
		}
	})
}

func TestCacheWaitsForTheNewTokenShortlyBeforeExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: 10 * time.Minute, takes: 5 * time.Second}
		c := newCache(t, p, nil)
		first := mustGet(t, c)
		time.Sleep(9*time.Minute + 30*time.Second)
		at := time.Now()
		if got := mustGet(t, c); got == first || time.Since(at) != 5*time.Second {
			t.Errorf("got %v after %v, want a new token after 5s", got, time.Since(at))
		}
	})
}

func TestCacheOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: 10 * time.Minute}
		var log bytes.Buffer
		c := newCache(t, p, &sts.CacheOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		first := mustGet(t, c)
		down := errors.New("STS is down")
		p.set(down)
		expired := 0
		for time.Since(first.Expiration) < 5*time.Minute {
			switch got, err := c.Credentials(t.Context()); {
			case time.Now().Before(first.Expiration):
				if got != first || err != nil {
					t.Fatalf("%v before the expiration: %v, %v; want the old token", time.Until(first.Expiration), got, err)
				}
			default:
				expired++
				var renew *sts.RenewError
				if !errors.As(err, &renew) || !errors.Is(err, down) || got != (sts.Credentials{}) {
					t.Fatalf("after the expiration: %v, %v; want a RenewError and nothing else", got, err)
				}
				if wait := time.Until(renew.RetryAt); wait <= 0 || wait > 30*time.Second {
					t.Fatalf("next attempt in %v, want up to 30s", wait)
				}
			}
			synctest.Wait()
			time.Sleep(100 * time.Millisecond)
		}
		if expired == 0 {
			t.Fatal("the expired token was never asked for")
		}
		// 8 minutes of failing, with pauses of 15 to 30 s after the first few.
		if n := p.count(); n < 16 || n > 45 {
			t.Errorf("%d calls of the provider, want it left alone in between", n)
		}
		if !strings.Contains(log.String(), "STS is down") || !strings.Contains(log.String(), "kept=true") {
			t.Errorf("log = %s, want the failure and that there is still a token", log.String())
		}
		noSecrets(t, "log", log.String())
		p.set(nil)
		time.Sleep(30 * time.Second)
		if got := mustGet(t, c); got == first {
			t.Error("got the old token after the outage")
		}
	})
}

func TestCacheCallersAreIndependent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: time.Hour, takes: 10 * time.Second}
		c := newCache(t, p, nil)
		impatient, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { // the first caller, which starts the renewal
			_, err := c.Credentials(impatient)
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "changed my mind") {
				t.Errorf("error of the canceled caller = %v", err)
			}
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				if _, err := c.Credentials(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if _, err := c.Credentials(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error of the caller with a deadline = %v", err)
			}
		})
		synctest.Wait()
		time.Sleep(time.Second)
		cancel(errors.New("changed my mind"))
		wg.Wait()
		if p.calls != 1 {
			t.Errorf("%d calls of the provider, want 1", p.calls)
		}
		if _, err := c.Credentials(impatient); !errors.Is(err, context.Canceled) {
			t.Errorf("error with a context that has ended = %v", err)
		}
	})
}

func TestCacheRenewalTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: time.Hour, takes: time.Hour}
		c := newCache(t, p, &sts.CacheOptions{Timeout: 7 * time.Second})
		at := time.Now()
		_, err := c.Credentials(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no credentials within 7s") {
			t.Errorf("error = %v, want the timeout", err)
		}
		if took := time.Since(at); took != 7*time.Second {
			t.Errorf("took %v, want 7s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		time.Sleep(2 * time.Second)
		_, err = c.Credentials(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "last renewal: no credentials within 7s") {
			t.Errorf("error = %v, want the caller's deadline and the last cause", err)
		}
		c.Close()
	})
}

func TestCacheWithoutAnExpiration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{}
		c := newCache(t, p, nil)
		first := mustGet(t, c)
		p.set(errors.New("down"))
		time.Sleep(24 * time.Hour)
		if got := mustGet(t, c); got != first {
			t.Errorf("got %v, want the token: nobody refused it", got)
		}
		synctest.Wait()
		p.set(nil)
		time.Sleep(time.Minute)
		mustGet(t, c)
		synctest.Wait()
		if got := mustGet(t, c); got == first {
			t.Error("the token was not renewed")
		}
	})
}

func TestCacheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: 10 * time.Minute, takes: time.Second}
		c := newCache(t, p, nil)
		first := mustGet(t, c)
		time.Sleep(8*time.Minute + time.Second)
		mustGet(t, c) // starts a renewal
		synctest.Wait()
		c.Close()
		c.Close()
		if p.busy != 0 {
			t.Error("the renewal continues after Close")
		}
		if got := mustGet(t, c); got != first {
			t.Errorf("got %v, want the old token", got)
		}
		time.Sleep(10 * time.Minute)
		if _, err := c.Credentials(t.Context()); !errors.Is(err, sts.ErrClosed) {
			t.Errorf("error = %v, want ErrClosed", err)
		}
		if p.calls != 2 {
			t.Errorf("%d calls of the provider, want none after Close", p.calls)
		}
	})
}

func TestCacheSurvivesAProviderThatExitsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := func(context.Context) (sts.Credentials, error) {
			runtime.Goexit()
			return sts.Credentials{}, nil
		}
		_, err := newCache(t, sts.ProviderFunc(gone), nil).Credentials(t.Context())
		if err == nil || !strings.Contains(err.Error(), "did not return") {
			t.Errorf("error = %v, want one that says so", err)
		}
	})
}

func TestCacheSurvivesAProviderThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		want := testCredentials
		want.Expiration = time.Time{}
		var broken atomic.Bool
		broken.Store(true)
		p := sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
			if broken.Load() {
				panic("no key like " + testSecret)
			}
			return want, nil
		})
		c := newCache(t, p, &sts.CacheOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		_, err := c.Credentials(t.Context())
		var renew *sts.RenewError
		if !errors.As(err, &renew) || !strings.Contains(err.Error(), "the provider panicked: no key like [redacted]") {
			t.Errorf("error = %v, want a RenewError that says so, without the secret", err)
		}
		if text := log.String(); !strings.Contains(text, "cache_test.go") || strings.Contains(text, testSecret) {
			t.Errorf("the log has no stack, or the secret: %s", text)
		}
		broken.Store(false)
		time.Sleep(time.Minute)
		if got := mustGet(t, c); got != want {
			t.Errorf("got %v after the panic, want %v", got, want)
		}
	})
}

func TestCachePrintsNoSecret(t *testing.T) {
	c := newCache(t, sts.Static(testCredentials), nil)
	_, _ = c.Credentials(t.Context())
	long := testCredentials
	long.Expiration = time.Now().Add(time.Hour)
	d := newCache(t, sts.Static(long), nil)
	mustGet(t, d)
	d.Invalidate(long)
	for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s"} {
		noSecrets(t, "cache with "+verb, fmt.Sprintf(verb+verb, c, d))
	}
}

func TestNewCacheRefuses(t *testing.T) {
	tests := []struct {
		name string
		p    sts.Provider
		opts *sts.CacheOptions
		text string
	}{
		{"no provider", nil, nil, "provider is nil"},
		{"share above 1", sts.Static(testCredentials), &sts.CacheOptions{RenewAt: 1.5}, "RenewAt is 1.5"},
		{"negative margin", sts.Static(testCredentials), &sts.CacheOptions{Margin: -1}, "Margin -1ns"},
		{"pauses the wrong way round", sts.Static(testCredentials),
			&sts.CacheOptions{RetryMin: time.Minute, RetryMax: time.Second}, "RetryMin 1m0s is above RetryMax 1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := sts.NewCache(tt.p, tt.opts); err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
		})
	}
}

// A renewal on demand takes the lock only when one is due.
func BenchmarkCache(b *testing.B) {
	c, err := sts.NewCache(sts.Static(sts.Credentials{AccessKeyID: "LTAI", AccessKeySecret: "x"}), nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Credentials(ctx); err != nil {
				b.Error(err)
			}
		}
	})
}

// A handlerThatAsks is a handler of logs whose lines need credentials to be sent away.
type handlerThatAsks struct {
	slog.Handler
	ask func()
}

func (h handlerThatAsks) Handle(ctx context.Context, r slog.Record) error {
	h.ask()
	return h.Handler.Handle(ctx, r)
}

func TestCacheIsNotLockedWhileItLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c *sts.Cache
		var asked atomic.Int32
		log := slog.New(handlerThatAsks{slog.NewTextHandler(io.Discard, nil), func() {
			asked.Add(1)
			_, _ = c.Credentials(context.Background())
		}})
		p := sts.ProviderFunc(func(context.Context) (sts.Credentials, error) { return sts.Credentials{}, errors.New("no answer") })
		c = newCache(t, p, &sts.CacheOptions{Logger: log})
		if _, err := c.Credentials(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer") || asked.Load() != 1 {
			t.Errorf("got %v and %d lines, want the provider's error and one line", err, asked.Load())
		}
	})
}

// An errorThatAsks asks in each of its methods.
type errorThatAsks struct{ ask func() }

func (e *errorThatAsks) Error() string { e.ask(); return "no answer" }
func (e *errorThatAsks) Is(error) bool { e.ask(); return false }
func (e *errorThatAsks) As(any) bool   { e.ask(); return false }
func (e *errorThatAsks) Unwrap() error { e.ask(); return nil }

// TestErrorsOfProvidersAreAskedWhenTheRenewalIsOver: they may ask the cache themselves, as one
// that reports what it has, may panic, as a nil pointer does, and may end the goroutine.
func TestErrorsOfProvidersAreAskedWhenTheRenewalIsOver(t *testing.T) {
	for name, ask := range map[string]func(c *sts.Cache){
		"ask":                      func(c *sts.Cache) { _, _ = c.Credentials(context.Background()) },
		"panic":                    func(*sts.Cache) { panic("torn") },
		"panic with a nil pointer": func(*sts.Cache) { panic((*fs.PathError)(nil)) },
		"Goexit":                   func(*sts.Cache) { runtime.Goexit() },
	} {
		for _, hangs := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, hangs %t", name, hangs), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var c *sts.Cache
					var asked atomic.Int32
					test := make(chan struct{}) // closed when the test itself has the error
					cause := &errorThatAsks{func() {
						select {
						case <-test:
						default:
							asked.Add(1)
							ask(c)
						}
					}}
					c = newCache(t, sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
						if hangs {
							<-ctx.Done()
						}
						return sts.Credentials{}, cause
					}), nil)
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					_, err := c.Credentials(ctx)
					close(test)
					var renew *sts.RenewError
					if !errors.As(err, &renew) || renew.Failures != 1 || !renew.RetryAt.After(time.Now()) || asked.Load() == 0 {
						t.Errorf("got %v, asked %d times; want a RenewError", err, asked.Load())
					}
				})
			})
		}
	}
}

// TestPauseThatAnErrorAsksFor is kept, up to 5 minutes, unless the one of the failures is longer.
func TestPauseThatAnErrorAsksFor(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{2 * time.Minute: 2 * time.Minute, time.Hour: 5 * time.Minute, time.Millisecond: 0} {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int32
			c := newCache(t, sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
				calls.Add(1)
				return sts.Credentials{}, &sts.AppServerError{Status: 503, RetryAfter: asked}
			}), nil)
			begin := time.Now()
			for range 2 {
				var renew *sts.RenewError
				_, err := c.Credentials(t.Context())
				if !errors.As(err, &renew) || calls.Load() != 1 {
					t.Fatalf("%v: got %v after %d calls, want a RenewError after one", asked, err, calls.Load())
				}
				if got := renew.RetryAt.Sub(begin); got != want && (want > 0 || got < 100*time.Millisecond) {
					t.Errorf("%v: got a pause of %v, want %v", asked, got, want)
				}
				time.Sleep(want / 2)
			}
		})
	}
}
