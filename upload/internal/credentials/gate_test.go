package credentials

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
)

var errRefused = errors.New("403 SecurityTokenExpired")

func token(n int) sts.Credentials {
	return sts.Credentials{AccessKeyID: fmt.Sprint("STS.", n), AccessKeySecret: "secret", SecurityToken: fmt.Sprint("token", n)}
}

func lasting(n int, life time.Duration) sts.Credentials {
	c := token(n)
	c.Expiration = time.Now().Add(life)
	return c
}

// newTestGate returns a gate whose goroutines end with the test.
func newTestGate(t *testing.T, p sts.Provider) *Gate {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return New(Options{
		Provider: p, Wait: 10 * time.Minute, Logger: slog.New(slog.DiscardHandler),
		Go: func(fn func(context.Context)) bool {
			wg.Go(func() { fn(ctx) })
			return true
		},
	})
}

// awaited waits as a file does, and returns why there is nothing new.
func (g *Gate) awaited(t *testing.T) error {
	for {
		if err := g.Wait(t.Context(), nil, nil); err != nil {
			return err
		}
		if _, ok := g.Current(); ok {
			return nil
		}
	}
}

func TestGateHandsOutNothingAtFirst(t *testing.T) {
	g := newTestGate(t, nil)
	if _, ok := g.Current(); ok || g.Expired() || g.TakeQuestion() {
		t.Error("a gate without credentials has some, or takes them as expired")
	}
	if err := g.Set(sts.Credentials{AccessKeyID: "only half"}); !errors.Is(err, sts.ErrInvalidCredentials) {
		t.Errorf("got %v, want ErrInvalidCredentials", err)
	}
}

func TestGateExpiresOncePerGeneration(t *testing.T) {
	g := newTestGate(t, nil)
	_ = g.Set(token(1))
	old, _ := g.Current()
	g.Refused(old.Generation, errRefused)
	if _, ok := g.Current(); ok || !g.Expired() {
		t.Error("a refused token is handed out")
	}
	for range 4 { // the other parts in flight
		g.Refused(old.Generation, errRefused)
	}
	if g.refusals != 1 {
		t.Errorf("%d refusals, want one for one token", g.refusals)
	}
	if !g.TakeQuestion() || g.TakeQuestion() {
		t.Error("want it told, and once")
	}
	if err := g.Set(token(2)); err != nil {
		t.Fatal(err)
	}
	g.Refused(old.Generation, errRefused) // one that was slow to be refused
	if s, ok := g.Current(); !ok || s.Generation == old.Generation || g.TakeQuestion() {
		t.Error("the answer to an old token has expired the new one")
	}
	g.Accepted(old.Generation)
	if g.refusals != 1 {
		t.Error("the answer to an old token counts for the new one")
	}
	now, _ := g.Current()
	g.Accepted(now.Generation)
	if g.refusals != 0 {
		t.Errorf("%d refusals after the token was accepted, want 0", g.refusals)
	}
}

func TestGateRefusesTheRefusedToken(t *testing.T) {
	g := newTestGate(t, nil)
	_ = g.Set(token(1))
	now, _ := g.Current()
	g.Refused(now.Generation, errRefused)
	if err := g.Set(token(1)); !errors.Is(err, errSameToken) || !g.Expired() {
		t.Errorf("got %v, want errSameToken", err)
	}
	renewed := token(1)
	renewed.SecurityToken = "other"
	if err := g.Set(renewed); err != nil {
		t.Errorf("got %v for a new token of the same key", err)
	}
}

func TestGateExpiresByTheClock(t *testing.T) {
	for name, c := range map[string]struct {
		life, good time.Duration // as given, and until it is replaced; 0: until refused
	}{
		"a minute before":                        {time.Hour, 59 * time.Minute},
		"a tenth of a short life before":         {5 * time.Minute, 270 * time.Second},
		"not one that has passed":                {-time.Hour, 0},
		"not one that passes at this very clock": {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newTestGate(t, nil)
				if err := g.Set(lasting(1, c.life)); err != nil {
					t.Fatal(err)
				}
				if c.good == 0 {
					time.Sleep(24 * time.Hour)
					if _, ok := g.Current(); !ok {
						t.Error("the clock may be wrong: want it handed out until the server refuses it")
					}
					return
				}
				time.Sleep(c.good - time.Nanosecond)
				if _, ok := g.Current(); !ok {
					t.Error("expired too early")
				}
				time.Sleep(time.Nanosecond)
				if _, ok := g.Current(); ok || !g.TakeQuestion() {
					t.Error("handed out too late")
				}
				// Given again, it is what the provider has: the server decides.
				if err := g.Set(g.snap.Credentials); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				s, ok := g.Current()
				if !ok {
					t.Fatal("a token that was given again was not tried")
				}
				g.Refused(s.Generation, errRefused)
				if err := g.Set(s.Credentials); err == nil {
					t.Error("a refused token was taken")
				}
			})
		})
	}
}

// TestGateTakesARefusalAfterTheClock covers a request that was under way when the
// clock said that the token had expired, and that the server refused then.
func TestGateTakesARefusalAfterTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newTestGate(t, nil)
		_ = g.Set(lasting(1, time.Hour))
		s, _ := g.Current()
		time.Sleep(time.Hour)
		if _, ok := g.Current(); ok || !g.TakeQuestion() {
			t.Fatal("not expired by the clock")
		}
		g.Refused(s.Generation, errRefused)
		if g.TakeQuestion() {
			t.Error("asked twice for one token")
		}
		if err := g.Set(s.Credentials); !errors.Is(err, errSameToken) {
			t.Errorf("got %v, want errSameToken", err)
		}
	})
}

// TestGateAsksOnce has 1,000 files find the same token refused.
func TestGateAsksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		g := newTestGate(t, sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
			calls++
			time.Sleep(time.Second)
			return token(calls), nil
		}))
		var wg sync.WaitGroup
		for round := 1; round <= 3; round++ {
			for range 1000 {
				wg.Go(func() {
					s, ok := g.Current()
					if ok {
						g.Refused(s.Generation, errRefused)
					}
					if err := g.awaited(t); err != nil {
						t.Error(err)
					}
					if s, ok = g.Current(); ok {
						g.Accepted(s.Generation)
					}
				})
			}
			wg.Wait()
			if calls != round {
				t.Fatalf("the provider was asked %d times for %d tokens", calls, round)
			}
		}
	})
}

// A scripted provider answers with what its function says of the number of the call.
func scripted(answer func(n int) (sts.Credentials, error)) (sts.Provider, *int) {
	calls := new(int)
	return sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
		*calls++
		return answer(*calls)
	}), calls
}

func TestGateOutlivesAnOutageOfTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("token server down")
		begin := time.Now()
		p, calls := scripted(func(n int) (sts.Credentials, error) {
			if time.Since(begin) < 5*time.Minute {
				return sts.Credentials{}, down
			}
			return token(n), nil
		})
		g := newTestGate(t, p)
		if err := g.awaited(t); err != nil {
			t.Fatal(err)
		}
		if *calls < 10 || *calls > 25 {
			t.Errorf("asked %d times in 5 minutes, want pauses that grow to 30 s", *calls)
		}
	})
}

func TestGateGivesUpAfterTokenWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("token server down")
		up := false
		p, _ := scripted(func(n int) (sts.Credentials, error) {
			if up {
				return token(n), nil
			}
			return sts.Credentials{}, down
		})
		g := newTestGate(t, p)
		begin := time.Now()
		err := g.awaited(t)
		if !errors.Is(err, ErrNoCredentials) || !errors.Is(err, down) || time.Since(begin) != g.opts.Wait {
			t.Fatalf("got %v after %v, want ErrNoCredentials of what the provider said after %v", err, time.Since(begin), g.opts.Wait)
		}
		if err := g.awaited(t); !errors.Is(err, ErrNoCredentials) || time.Since(begin) != g.opts.Wait {
			t.Errorf("got %v, want the same at once for all who wait", err)
		}
		time.Sleep(failedFor)
		up = true
		if err := g.awaited(t); err != nil {
			t.Errorf("got %v, want a new try for who comes later", err)
		}
	})
}

func TestGateDoesNotTakeTheSameTokenFromTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := scripted(func(n int) (sts.Credentials, error) { return token(max(1, n-4)), nil })
		g := newTestGate(t, p)
		_ = g.awaited(t)
		s, _ := g.Current()
		g.Refused(s.Generation, errRefused)
		if err := g.awaited(t); err != nil {
			t.Fatal(err)
		}
		if s, _ := g.Current(); s.SecurityToken != "token2" || *calls != 6 {
			t.Errorf("got %s after %d calls, want token2 after 6", s.SecurityToken, *calls)
		}
	})
}

// A keeper is a provider that keeps its credentials, as sts.Cache does.
type keeper struct {
	now, made int
	told      []string
}

func (k *keeper) Credentials(context.Context) (sts.Credentials, error) {
	if k.now == 0 {
		k.made++
		k.now = k.made
	}
	return token(k.now), nil
}

func (k *keeper) Invalidate(c sts.Credentials) {
	k.told = append(k.told, c.SecurityToken)
	if c.SecurityToken == token(k.now).SecurityToken {
		k.now = 0
	}
}

func TestGateTellsAProviderThatKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		g := newTestGate(t, k)
		_ = g.awaited(t)
		begin := time.Now()
		for range 2 {
			s, _ := g.Current()
			g.Accepted(s.Generation)
			g.Refused(s.Generation, errRefused)
			if err := g.awaited(t); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(k.told, " "); got != "token1 token2" || k.made != 3 {
			t.Errorf("told of %q, %d tokens made; want token1 token2, and 3", got, k.made)
		}
		if time.Since(begin) > 0 {
			t.Errorf("it took %v, want no pause", time.Since(begin))
		}
	})
}

func TestGateBoundsRefusalsInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := scripted(func(n int) (sts.Credentials, error) { return token(n), nil })
		g := newTestGate(t, p)
		begin := time.Now()
		for {
			if err := g.awaited(t); err != nil {
				if !errors.Is(err, ErrTokenExpired) || !errors.Is(err, errRefused) || *calls != MaxRefusals {
					t.Errorf("got %v after %d tokens, want ErrTokenExpired of the refusal after %d", err, *calls, MaxRefusals)
				}
				break
			}
			s, _ := g.Current()
			g.Refused(s.Generation, errRefused)
		}
		if took := time.Since(begin); took < time.Minute || took > 10*time.Minute {
			t.Errorf("10 refusals took %v, want pauses that grow", took)
		}
		// A service runs for months: later callers get another try.
		time.Sleep(failedFor)
		if err := g.awaited(t); err != nil {
			t.Errorf("got %v, want a new try", err)
		}
	})
}

// TestGateSetWhileAsking has somebody give a token while the provider hangs.
func TestGateSetWhileAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		g := newTestGate(t, sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
			calls++
			if calls == 1 {
				time.Sleep(time.Minute)
			}
			return token(100 + calls), nil
		}))
		ended := make(chan error, 1)
		go func() { ended <- g.awaited(t) }()
		synctest.Wait()
		_ = g.Set(token(1))
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if s, _ := g.Current(); s.SecurityToken != "token1" {
			t.Errorf("got %s, want the token that was given", s.SecurityToken)
		}
		time.Sleep(2 * time.Minute)
		if s, _ := g.Current(); s.SecurityToken != "token1" {
			t.Errorf("got %s, want the late answer to be left alone", s.SecurityToken)
		}
		s, _ := g.Current()
		g.Refused(s.Generation, errRefused)
		if err := g.awaited(t); err != nil {
			t.Fatal(err)
		}
		if s, _ := g.Current(); s.SecurityToken != "token102" {
			t.Errorf("got %s, want the provider to be asked again", s.SecurityToken)
		}
	})
}

// TestGateRefusedWhileAnswering has the new token refused in the very moment in which
// it comes: the next asking must not wait for the last one, which has just ended.
func TestGateRefusedWhileAnswering(t *testing.T) {
	for range 200 {
		p, _ := scripted(func(n int) (sts.Credentials, error) { return token(n), nil })
		g := newTestGate(t, p)
		g.opts.Wait = 5 * time.Second
		for range 3 {
			if err := g.awaited(t); err != nil {
				t.Fatal(err)
			}
			s, _ := g.Current()
			g.Accepted(s.Generation)
			g.Refused(s.Generation, errRefused)
		}
	}
}

func TestGateSaysWhatItWaitedFor(t *testing.T) {
	down := errors.New("token server down")
	for name, c := range map[string]struct {
		make func(*Gate)
		want []string
	}{
		"no credentials at all": {func(*Gate) {}, []string{"no credentials were given within 10m0s", "call Init"}},
		"a refused one": {func(g *Gate) {
			_ = g.Set(token(1))
			g.Refused(g.snap.Generation, errRefused)
		}, []string{"no new token was given within 10m0s", errRefused.Error()}},
		"a provider that does not return": {func(g *Gate) { g.opts.Provider = &keeper{} }, []string{"the provider has not answered"}},
		"a provider of tokens that are refused": {func(g *Gate) {
			g.opts.Provider = &keeper{}
			for n := range 3 {
				g.answered(token(n), nil)
				g.Refused(g.snap.Generation, errRefused)
			}
		}, []string{errRefused.Error(), "the server refused the last 3 that the provider gave"}},
		"a provider that fails": {func(g *Gate) {
			g.opts.Provider = &keeper{}
			g.answered(sts.Credentials{}, down)
		}, []string{"the provider's last answer: token server down"}},
		"a provider of half a key": {func(g *Gate) {
			g.opts.Provider = &keeper{}
			g.answered(sts.Credentials{AccessKeyID: "x"}, nil)
		}, []string{"the provider's last answer", "AccessKeySecret is empty"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newTestGate(t, nil)
			c.make(g)
			err := g.overdue()
			kind := ErrNoCredentials
			if g.have {
				kind = ErrTokenExpired
			}
			for _, part := range c.want {
				if !errors.Is(err, kind) || !strings.Contains(err.Error(), part) {
					t.Errorf("got %q, want %v with %q", err, kind, part)
				}
			}
		})
	}
}

// TestTheQuestionIsTakenOnce for each token, and put back by the caller that gave up.
func TestTheQuestionIsTakenOnce(t *testing.T) {
	g := newTestGate(t, nil)
	if g.TakeQuestion() {
		t.Error("asked before there were credentials")
	}
	_ = g.Set(token(1))
	s, _ := g.Current()
	g.Refused(s.Generation, errRefused)
	if !g.TakeQuestion() || g.TakeQuestion() {
		t.Error("want one question for a token")
	}
	g.PutBackQuestion()
	if !g.TakeQuestion() || g.TakeQuestion() {
		t.Error("want one more question after it was put back")
	}
	_ = g.Set(token(2))
	g.PutBackQuestion()
	if g.TakeQuestion() {
		t.Error("asked for another token although there is a good one")
	}
}

// TestGateWaitReturns for all that it waits for.
func TestGateWaitReturns(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	why := errors.New("paused")
	ended, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	for name, tt := range map[string]struct {
		ctx   context.Context
		other chan struct{}
		set   bool
		want  error
	}{
		"nil when there are credentials":         {context.Background(), nil, true, nil},
		"nil when the other thing happens":       {context.Background(), closed, false, nil},
		"the cause of the end of its context":    {ended, nil, false, why},
		"ErrNoCredentials when nobody gives any": {context.Background(), nil, false, ErrNoCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newTestGate(t, nil)
				if tt.set {
					_ = g.Set(token(1))
				}
				if err := g.Wait(tt.ctx, tt.other, nil); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			})
		})
	}
}

// TestGateSurvivesAProviderThatPanics and then gives credentials after all.
func TestGateSurvivesAProviderThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		values := []any{errors.New("an error"), "a text", token(9)}
		g := newTestGate(t, sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
			if len(values) == 0 {
				return token(1), nil
			}
			v := values[0]
			values = values[1:]
			panic(v)
		}))
		var log strings.Builder
		g.opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
		if err := g.awaited(t); err != nil {
			t.Error(err)
		}
		for _, want := range []string{"panicked: an error", "panicked: a text", "with a value of type sts.Credentials"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not say %q: %s", want, &log)
			}
		}
	})
}

// An askingError asks the gate in each of its methods.
type askingError struct{ g *Gate }

func (e *askingError) Error() string   { return fmt.Sprint("expired: ", e.g.Expired()) }
func (e *askingError) Is(error) bool   { return e.g.Given() }
func (e *askingError) Unwrap() []error { return []error{fmt.Errorf("given: %v", e.g.Given())} }

func TestAnswersAreNotAskedUnderTheLock(t *testing.T) {
	for name, answer := range map[string]func(error) error{
		"that may pass":  func(err error) error { return err },
		"that are final": func(err error) error { return errors.Join(ErrNotRenewable, err) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asking := new(askingError)
				p, _ := scripted(func(int) (sts.Credentials, error) { return sts.Credentials{}, answer(asking) })
				asking.g = newTestGate(t, p)
				if err := asking.g.awaited(t); !errors.Is(err, ErrNoCredentials) || !strings.Contains(err.Error(), "expired: false") {
					t.Errorf("got %v, want the provider's answer in it", err)
				}
			})
		})
	}
}

func TestProviderWhoseErrorPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := scripted(func(int) (sts.Credentials, error) { return sts.Credentials{}, (*fs.PathError)(nil) })
		if err := newTestGate(t, p).awaited(t); err == nil || !strings.Contains(err.Error(), "panicked") {
			t.Errorf("got %v, want an error that says that it panicked", err)
		}
	})
}
