package sts

import (
	"fmt"
	"log/slog"
	"time"
)

// CacheOptions are the optional settings of a [Cache].
type CacheOptions struct {
	// RenewAt is the share of a token's life, counted from its arrival, after
	// which it is renewed in the background. Each token is renewed up to a tenth
	// of its life earlier, at random, so that many clients that started together do
	// not renew together. The default is 0.8.
	RenewAt float64

	// Margin is the time before the expiration in which the old token is handed
	// out only if the renewal fails: callers wait for the new one. It is never
	// more than a quarter of a token's life. The default is one minute.
	Margin time.Duration

	// RetryMin and RetryMax bound the pause after a renewal that failed. It
	// begins at RetryMin and doubles with each failure, with jitter. The defaults
	// are 1 s and 30 s.
	RetryMin, RetryMax time.Duration

	// Timeout ends a renewal that takes longer. The default is 30 s.
	Timeout time.Duration

	// Logger gets a warning for each renewal that failed, and for each that showed this
	// machine's clock to be more than a minute off. The default is silent.
	Logger *slog.Logger
}

func (o *CacheOptions) resolved() (CacheOptions, error) {
	var r CacheOptions
	if o != nil {
		r = *o
	}
	if r.RenewAt < 0 || r.RenewAt > 1 {
		return r, fmt.Errorf("sts: RenewAt is %v; want a share above 0 and up to 1", r.RenewAt)
	}
	if r.Margin < 0 || r.RetryMin < 0 || r.RetryMax < 0 || r.Timeout < 0 {
		return r, fmt.Errorf("sts: a time in the cache's options is negative: Margin %v, RetryMin %v, RetryMax %v, Timeout %v",
			r.Margin, r.RetryMin, r.RetryMax, r.Timeout)
	}
	setDefault(&r.RenewAt, 0.8)
	setDefault(&r.Margin, time.Minute)
	setDefault(&r.RetryMin, time.Second)
	setDefault(&r.RetryMax, max(30*time.Second, r.RetryMin))
	setDefault(&r.Timeout, 30*time.Second)
	if r.RetryMin > r.RetryMax {
		return r, fmt.Errorf("sts: RetryMin %v is above RetryMax %v", r.RetryMin, r.RetryMax)
	}
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
