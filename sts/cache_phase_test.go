package sts

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestHeldPhases(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	o, err := (*CacheOptions)(nil).resolved()
	if err != nil {
		t.Fatal(err)
	}
	early, late15 := o, o
	early.RenewAt = 0.05
	late15.RenewAt, late15.Margin = 1, 15*time.Minute
	tests := []struct {
		name                    string
		life                    time.Duration // 0: unknown
		opts                    CacheOptions
		jitter                  float64
		stale, lateAt, goneFrom time.Duration // since the start; 0: never
	}{
		{"15 minutes", 15 * time.Minute, o, 0, 12 * time.Minute, 14 * time.Minute, 15 * time.Minute},
		{"15 minutes, most jitter", 15 * time.Minute, o, 1, 630 * time.Second, 14 * time.Minute, 15 * time.Minute},
		{"12 hours", 12 * time.Hour, o, 0, 576 * time.Minute, 719 * time.Minute, 12 * time.Hour},
		{"one minute: the margin shrinks", time.Minute, o, 0, 45 * time.Second, 45 * time.Second, time.Minute},
		{"renewed at once", time.Hour, early, 1, 0, 59 * time.Minute, time.Hour},
		{"margin above a quarter", 20 * time.Minute, late15, 0, 15 * time.Minute, 15 * time.Minute, 20 * time.Minute},
		{"unknown", 0, o, 0, 10 * time.Minute, 0, 0},
		{"unknown, most jitter", 0, o, 1, 9 * time.Minute, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Credentials
			if tt.life > 0 {
				c.Expiration = start.Add(tt.life)
			}
			h := newHeld(c, start, tt.opts, tt.jitter)
			check := func(since time.Duration, want phase) {
				t.Helper()
				if got := h.at(start.Add(since)); got != want {
					t.Errorf("after %v: phase %d, want %d", since, got, want)
				}
			}
			if tt.stale > 0 {
				check(tt.stale-1, fresh)
				check(-time.Second, fresh) // a clock is put right by a little now and then
			}
			check(-time.Hour, late) // and by much: none of the times is to be trusted
			if tt.stale != tt.lateAt {
				check(tt.stale, stale)
			}
			if tt.goneFrom == 0 {
				check(1000*time.Hour, stale)
				return
			}
			check(tt.lateAt, late)
			check(tt.goneFrom-1, late)
			check(tt.goneFrom, none)
		})
	}
	if got := (*held)(nil).at(start); got != none {
		t.Errorf("nothing held: phase %d, want none", got)
	}
}

func TestRetryPause(t *testing.T) {
	o := CacheOptions{RetryMin: time.Second, RetryMax: 30 * time.Second}
	tests := []struct {
		failures int
		jitter   float64
		want     time.Duration
	}{
		{1, 0, time.Second},
		{1, 1, 500 * time.Millisecond},
		{2, 0, 2 * time.Second},
		{5, 0, 16 * time.Second},
		{6, 0, 30 * time.Second},
		{1000, 0, 30 * time.Second},
		{1000, 1, 15 * time.Second},
	}
	for _, tt := range tests {
		if got := retryPause(o, tt.failures, tt.jitter); got != tt.want {
			t.Errorf("pause after %d failures, jitter %v = %v, want %v", tt.failures, tt.jitter, got, tt.want)
		}
	}
}

// A failure while the clock was a year ahead must not stop renewals for a year.
func TestCachePauseEndsWhenTheClockIsSetBack(t *testing.T) {
	calls := 0
	c, err := NewCache(ProviderFunc(func(context.Context) (Credentials, error) {
		calls++
		return Credentials{AccessKeyID: "LTAI", AccessKeySecret: "secret"}, nil
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	then := now().AddDate(1, 0, 0)
	c.pausedAt, c.retryAt = then, then.Add(time.Second)
	c.lastErr, c.failures = errors.New("no network yet"), 1
	if _, err := c.Credentials(t.Context()); err != nil || calls != 1 {
		t.Errorf("error = %v after %d calls, want credentials after one", err, calls)
	}
}

func TestPausing(t *testing.T) {
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	until := from.Add(30 * time.Second)
	for at, want := range map[time.Duration]bool{-time.Hour: false, 0: true, 29 * time.Second: true, 30 * time.Second: false} {
		if got := pausing(from, until, from.Add(at)); got != want {
			t.Errorf("after %v: %t, want %t", at, got, want)
		}
	}
	if pausing(time.Time{}, time.Time{}, from) {
		t.Error("a cache pauses that never renewed anything")
	}
}
