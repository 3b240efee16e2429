package vod

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// maxRetryInterval is where the pauses stop growing.
const maxRetryInterval = 30 * time.Second

// try makes a call until it succeeds, fails for good, or has failed too often.
// harmless says that it may be repeated also where nobody knows whether it was
// carried out.
func (a *Authorizer) try(ctx context.Context, harmless bool, call func(context.Context) error) error {
	pause := a.opts.RetryInterval
	for attempt := 0; ; attempt++ {
		err := call(ctx)
		if err == nil || !again(outcomeOf(err), harmless) || attempt >= a.opts.RetryCount {
			return err
		}
		jittered := time.Duration(float64(pause) * (0.75 + rand.Float64()/2))
		a.opts.Logger.Warn("vod: the call is made again", "delay", jittered, "error", err)
		t := time.NewTimer(jittered)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("%w; before that: %w", context.Cause(ctx), err)
		}
		pause = min(2*pause, maxRetryInterval)
	}
}

// again reports whether a call with this outcome is worth another.
func again(o outcome, harmless bool) bool {
	return o == passing || o == unknown && harmless
}
