package transfer

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

const (
	maxInterval = 30 * time.Second // between two attempts, unless the server asks for more
	maxAsked    = 5 * time.Minute  // of what the server asks for
	maxSkews    = 2                // corrections of the clock in a row for one request
	jitter      = 0.25             // of each pause, either way

	// maxStarved bounds how often one request is made again for want of a descriptor.
	maxStarved = int(descriptors.Patience / descriptors.Pause)
)

// A RetryPolicy says how often and how long apart a request is made again.
type RetryPolicy struct {
	Count    int           // retries after the first attempt
	Interval time.Duration // before the first retry; then it grows
	early    bool          // in an outage, the first attempt does not wait until a probe is due
}

// A budget is what one request has left of its retries.
type budget struct {
	policy  RetryPolicy
	backoff *backoff.ExponentialBackOff
	retries int   // spent since the last progress
	blamed  int   // of these, for answers that blame the request, and not its endpoint
	free    int   // at once and uncounted, in a row
	skews   int   // in a row
	starved int   // for want of a descriptor, all of them
	seen    int64 // what the upload had acknowledged at the last retry
}

func newBudget(policy RetryPolicy, acked int64) *budget {
	return &budget{policy: policy, seen: acked}
}

// A verdict is what is to be done after an error.
type verdict struct {
	again   bool
	counted bool          // it is a retry that is reported
	delay   time.Duration // before the next attempt
}

// next sorts err. acked counts the bytes that the server has acknowledged of this
// upload: where the network fails or the server throttles, and some part got
// through since the last retry, the line is bad but alive, and the budget is full
// again. An answer that blames this request spends it.
//
// maxFree is how many kept-alive connections may turn out to be closed, one after
// the other, before that counts as a network that fails.
func (b *budget) next(err *wire.Error, acked int64, maxFree int) verdict {
	switch err.Class {
	case wire.Stale:
		if b.free++; b.free <= maxFree {
			return verdict{again: true}
		}
	case wire.Skew:
		// Beyond that, the servers behind one name disagree about the time: a pause may
		// lead to another of them.
		if b.skews++; b.skews <= maxSkews {
			return verdict{again: true}
		}
	case wire.Starved:
		b.starved++
		return verdict{again: b.starved <= maxStarved, delay: descriptors.Pause}
	case wire.Retry, wire.Throttle:
	default:
		return verdict{}
	}
	if acked > b.seen && (err.Status == 0 || err.Class == wire.Throttle) {
		b.retries, b.blamed, b.backoff = 0, 0, nil
	}
	b.seen, b.free, b.skews = acked, 0, 0
	if b.retries >= b.policy.Count {
		return verdict{}
	}
	b.retries++
	if err.Status != 0 && !isGateway(err.Status) {
		b.blamed++
	}
	return verdict{again: true, counted: true, delay: b.pause(err.Delay)}
}

// forgive gives back what was spent because the endpoint was away: that is nothing which
// the request could help.
func (b *budget) forgive() { b.retries, b.backoff = b.blamed, nil }

// isGateway reports whether an answer is of something before the server that did not reach
// it, or of a server that takes no requests.
func isGateway(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// pause returns how long to wait: what the server asks for at least, spread so that
// clients which were asked the same do not return at the same moment.
func (b *budget) pause(asked time.Duration) time.Duration {
	if b.backoff == nil {
		b.backoff = backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(b.policy.Interval),
			backoff.WithMaxInterval(max(maxInterval, b.policy.Interval)),
			backoff.WithMultiplier(2),
			backoff.WithRandomizationFactor(jitter),
			backoff.WithMaxElapsedTime(0),
		)
	}
	if asked = min(asked, maxAsked); asked > 0 {
		asked += rand.N(time.Duration(jitter*float64(asked)) + 1)
	}
	return max(b.backoff.NextBackOff(), asked)
}
