package sts_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/sts"
)

func TestCacheInvalidate(t *testing.T) {
	t.Run("next call gives a new token", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCache(t, &issuer{life: time.Hour}, nil)
			first := mustGet(t, c)
			c.Invalidate(first)
			if got := mustGet(t, c); got == first {
				t.Error("got the refused token again")
			}
		})
	})
	t.Run("late report about an older token changes nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &issuer{life: time.Hour}
			c := newCache(t, p, nil)
			first := mustGet(t, c)
			c.Invalidate(first)
			second := mustGet(t, c)
			for range 100 {
				c.Invalidate(first)
			}
			if got := mustGet(t, c); got != second || p.calls != 2 {
				t.Errorf("got %v after %d calls, want the second token after 2", got, p.calls)
			}
		})
	})
	t.Run("same token again is an error, and asked for slowly", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &issuer{life: time.Hour, same: true}
			c := newCache(t, p, nil)
			c.Invalidate(mustGet(t, c))
			for range 600 {
				if _, err := c.Credentials(t.Context()); !errors.Is(err, sts.ErrRefused) {
					t.Fatalf("error = %v, want ErrRefused", err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			if p.calls > 10 {
				t.Errorf("%d calls of the provider in a minute, want at most 10", p.calls)
			}
			p.same = false
			time.Sleep(30 * time.Second)
			mustGet(t, c)
		})
	})
	t.Run("long-lived key stays", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			key := sts.Credentials{AccessKeyID: "LTAI", AccessKeySecret: "x"}
			c := newCache(t, sts.Static(key), nil)
			c.Invalidate(mustGet(t, c))
			if got := mustGet(t, c); got != key {
				t.Errorf("got %v, want the key", got)
			}
		})
	})
	t.Run("renewal that was already under way is waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &issuer{life: 10 * time.Minute, takes: 5 * time.Second}
			c := newCache(t, p, nil)
			first := mustGet(t, c)
			time.Sleep(8*time.Minute + time.Second)
			mustGet(t, c)
			c.Invalidate(first)
			if got := mustGet(t, c); got == first || p.count() != 2 {
				t.Errorf("got %v after %d calls, want a new token after 2", got, p.count())
			}
		})
	})
}

func TestCacheRefusesWhatIsOfNoUse(t *testing.T) {
	token := testCredentials
	token.Expiration = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		creds sts.Credentials
		want  error
	}{
		{"expired token", token, sts.ErrExpired},
		{"no secret", sts.Credentials{AccessKeyID: "STS.x", SecurityToken: "y"}, sts.ErrInvalidCredentials},
		{"nothing", sts.Credentials{}, sts.ErrInvalidCredentials},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				give := func(context.Context) (sts.Credentials, error) { return tt.creds, nil }
				_, err := newCache(t, sts.ProviderFunc(give), nil).Credentials(t.Context())
				if !errors.Is(err, tt.want) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
				noSecrets(t, "error", fmt.Sprintf("%v %+v %#v", err, err, err))
			})
		})
	}
}

// An app server may keep its own token until the very end: asking more often
// does not help.
func TestCacheDoesNotPressAProviderThatHasNothingNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: 10 * time.Minute}
		fixed := p.token(1)
		calls := 0
		c := newCache(t, sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
			calls++
			return fixed, nil
		}), nil)
		for time.Now().Before(fixed.Expiration.Add(-10 * time.Millisecond)) {
			if got := mustGet(t, c); got != fixed {
				t.Fatalf("got %v", got)
			}
			synctest.Wait()
			time.Sleep(10 * time.Millisecond)
		}
		// The first, one at 0.8 of the life, 0.96, and then one a second.
		if calls > 40 {
			t.Errorf("%d calls of the provider, want at most 40", calls)
		}
	})
}

func TestCacheHonoursRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &issuer{life: time.Hour, fail: &sts.AppServerError{Status: 503, RetryAfter: 2 * time.Minute}}
		c := newCache(t, p, nil)
		for range 119 {
			if _, err := c.Credentials(t.Context()); err == nil {
				t.Fatal("no error")
			}
			time.Sleep(time.Second)
		}
		if p.calls != 1 {
			t.Errorf("%d calls of the provider within 2 minutes, want 1", p.calls)
		}
	})
}
