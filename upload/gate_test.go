package upload

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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

// newTestGate returns a gate whose generations count from 1. Its goroutines end with
// the test.
func newTestGate(t *testing.T, p sts.Provider) *gate {
	var n atomic.Uint64
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return &gate{
		provider: p, wait: 10 * time.Minute,
		run: func(fn func(context.Context)) bool {
			wg.Go(func() { fn(ctx) })
			return true
		},
		generation: func() uint64 { return n.Add(1) },
		warn:       func(string, error) {},
	}
}

// asked waits as a file does, and returns why there is nothing new.
func (g *gate) asked(t *testing.T) error {
	for {
		changed, err := g.want()
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-time.After(g.wait + time.Minute):
			t.Error("nobody answered a file that waits")
			return nil
		}
		if _, ok := g.current(); ok {
			return nil
		}
	}
}

func TestGateHandsOutNothingAtFirst(t *testing.T) {
	g := newTestGate(t, nil)
	if _, ok := g.current(); ok || g.waits() || g.tell() {
		t.Error("a gate without credentials has some, or takes them as expired")
	}
	if err := g.set(sts.Credentials{AccessKeyID: "only half"}); !errors.Is(err, sts.ErrInvalidCredentials) {
		t.Errorf("got %v, want ErrInvalidCredentials", err)
	}
}

func TestGateExpiresOncePerGeneration(t *testing.T) {
	g := newTestGate(t, nil)
	_ = g.set(token(1))
	old, _ := g.current()
	g.expire(old.Generation, errRefused)
	if _, ok := g.current(); ok || !g.waits() {
		t.Error("a refused token is handed out")
	}
	for range 4 { // the other parts in flight
		g.expire(old.Generation, errRefused)
	}
	if g.refusals != 1 {
		t.Errorf("%d refusals, want one for one token", g.refusals)
	}
	if !g.tell() || g.tell() {
		t.Error("want it told, and once")
	}
	if err := g.set(token(2)); err != nil {
		t.Fatal(err)
	}
	g.expire(old.Generation, errRefused) // one that was slow to be refused
	if s, ok := g.current(); !ok || s.Generation == old.Generation || g.tell() {
		t.Error("the answer to an old token has expired the new one")
	}
	g.accept(old.Generation)
	if g.refusals != 1 {
		t.Error("the answer to an old token counts for the new one")
	}
	now, _ := g.current()
	g.accept(now.Generation)
	if g.refusals != 0 {
		t.Errorf("%d refusals after the token was accepted, want 0", g.refusals)
	}
}

func TestGateRefusesTheRefusedToken(t *testing.T) {
	g := newTestGate(t, nil)
	_ = g.set(token(1))
	now, _ := g.current()
	g.expire(now.Generation, errRefused)
	if err := g.set(token(1)); !errors.Is(err, errSameToken) || !g.waits() {
		t.Errorf("got %v, want errSameToken", err)
	}
	renewed := token(1)
	renewed.SecurityToken = "other"
	if err := g.set(renewed); err != nil {
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
				if err := g.set(lasting(1, c.life)); err != nil {
					t.Fatal(err)
				}
				if c.good == 0 {
					time.Sleep(24 * time.Hour)
					if _, ok := g.current(); !ok {
						t.Error("the clock may be wrong: want it handed out until the server refuses it")
					}
					return
				}
				time.Sleep(c.good - time.Nanosecond)
				if _, ok := g.current(); !ok {
					t.Error("expired too early")
				}
				time.Sleep(time.Nanosecond)
				if _, ok := g.current(); ok || !g.tell() {
					t.Error("handed out too late")
				}
				// Given again, it is what the provider has: the server decides.
				if err := g.set(g.snap.Credentials); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				s, ok := g.current()
				if !ok {
					t.Fatal("a token that was given again was not tried")
				}
				g.expire(s.Generation, errRefused)
				if err := g.set(s.Credentials); err == nil {
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
		_ = g.set(lasting(1, time.Hour))
		s, _ := g.current()
		time.Sleep(time.Hour)
		if _, ok := g.current(); ok || !g.tell() {
			t.Fatal("not expired by the clock")
		}
		g.expire(s.Generation, errRefused)
		if g.tell() {
			t.Error("told twice for one token")
		}
		if err := g.set(s.Credentials); !errors.Is(err, errSameToken) {
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
					s, ok := g.current()
					if ok {
						g.expire(s.Generation, errRefused)
					}
					if err := g.asked(t); err != nil {
						t.Error(err)
					}
					if s, ok = g.current(); ok {
						g.accept(s.Generation)
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
		if err := g.asked(t); err != nil {
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
		err := g.asked(t)
		if !errors.Is(err, ErrNoCredentials) || !errors.Is(err, down) || time.Since(begin) != g.wait {
			t.Fatalf("got %v after %v, want ErrNoCredentials of what the provider said after %v", err, time.Since(begin), g.wait)
		}
		if err := g.asked(t); !errors.Is(err, ErrNoCredentials) || time.Since(begin) != g.wait {
			t.Errorf("got %v, want the same at once for all who wait", err)
		}
		time.Sleep(failedFor)
		up = true
		if err := g.asked(t); err != nil {
			t.Errorf("got %v, want a new try for who comes later", err)
		}
	})
}

func TestGateDoesNotTakeTheSameTokenFromTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := scripted(func(n int) (sts.Credentials, error) { return token(max(1, n-4)), nil })
		g := newTestGate(t, p)
		_ = g.asked(t)
		s, _ := g.current()
		g.expire(s.Generation, errRefused)
		if err := g.asked(t); err != nil {
			t.Fatal(err)
		}
		if s, _ := g.current(); s.SecurityToken != "token2" || *calls != 6 {
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
		_ = g.asked(t)
		begin := time.Now()
		for range 2 {
			s, _ := g.current()
			g.accept(s.Generation)
			g.expire(s.Generation, errRefused)
			if err := g.asked(t); err != nil {
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
			if err := g.asked(t); err != nil {
				if !errors.Is(err, ErrTokenExpired) || !errors.Is(err, errRefused) || *calls != maxRefusals {
					t.Errorf("got %v after %d tokens, want ErrTokenExpired of the refusal after %d", err, *calls, maxRefusals)
				}
				break
			}
			s, _ := g.current()
			g.expire(s.Generation, errRefused)
		}
		if took := time.Since(begin); took < time.Minute || took > 10*time.Minute {
			t.Errorf("10 refusals took %v, want pauses that grow", took)
		}
		// A service goes on for months: who comes later gets another try.
		time.Sleep(failedFor)
		if err := g.asked(t); err != nil {
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
		go func() { ended <- g.asked(t) }()
		synctest.Wait()
		_ = g.set(token(1))
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if s, _ := g.current(); s.SecurityToken != "token1" {
			t.Errorf("got %s, want the token that was given", s.SecurityToken)
		}
		time.Sleep(2 * time.Minute)
		if s, _ := g.current(); s.SecurityToken != "token1" {
			t.Errorf("got %s, want the late answer to be left alone", s.SecurityToken)
		}
		s, _ := g.current()
		g.expire(s.Generation, errRefused)
		if err := g.asked(t); err != nil {
			t.Fatal(err)
		}
		if s, _ := g.current(); s.SecurityToken != "token102" {
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
		g.wait = 5 * time.Second
		for range 3 {
			if err := g.asked(t); err != nil {
				t.Fatal(err)
			}
			s, _ := g.current()
			g.accept(s.Generation)
			g.expire(s.Generation, errRefused)
		}
	}
}

func TestGateSaysWhatItWaitedFor(t *testing.T) {
	down := errors.New("token server down")
	for name, c := range map[string]struct {
		make func(*gate)
		want []string
	}{
		"no credentials at all": {func(*gate) {}, []string{"no credentials were given within 10m0s", "call Init"}},
		"a refused one": {func(g *gate) {
			_ = g.set(token(1))
			g.expire(1, errRefused)
		}, []string{"no new token was given within 10m0s", errRefused.Error()}},
		"a provider that does not return": {func(g *gate) { g.provider = &keeper{} }, []string{"the provider has not answered"}},
		"a provider that fails": {func(g *gate) {
			g.provider = &keeper{}
			g.answered(sts.Credentials{}, down)
		}, []string{"the provider's last answer: token server down"}},
		"a provider of half a key": {func(g *gate) {
			g.provider = &keeper{}
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
