package sts

import (
	"errors"
	"time"
)

// unknownLife is how long credentials without an expiration are used before they
// are renewed. It is below the shortest life of a token, 15 minutes (STS
// documentation, AssumeRole).
const unknownLife = 10 * time.Minute

// held are credentials in a cache, with the times that decide about them.
type held struct {
	creds      Credentials
	receivedAt time.Time
	renewAt    time.Time // renewed in the background from here on
	lateAt     time.Time // renewed before use from here on; zero: never
	expires    time.Time // no longer used from here on; zero: never
}

// newHeld decides when creds, which came at the given time, are renewed. Jitter
// is a number from 0 up to 1.
func newHeld(creds Credentials, at time.Time, o CacheOptions, jitter float64) *held {
	const jitterShare = 0.1
	end := creds.Deadline()
	if end.IsZero() {
		early := time.Duration(jitterShare * jitter * float64(unknownLife))
		return &held{creds: creds, receivedAt: at, renewAt: at.Add(unknownLife - early)}
	}
	life := end.Sub(at)
	h := &held{
		creds:      creds,
		receivedAt: at,
		renewAt:    at.Add(time.Duration(max(0, o.RenewAt-jitterShare*jitter) * float64(life))),
		lateAt:     end.Add(-min(o.Margin, life/4)),
		expires:    end,
	}
	if h.renewAt.After(h.lateAt) {
		h.renewAt = h.lateAt
	}
	return h
}

// A phase is where credentials are in their life.
type phase int

const (
	none  phase = iota // there are none, or they have expired
	fresh              // handed out
	stale              // handed out, and renewed in the background
	late               // handed out only if they cannot be renewed
)

func (p phase) usable() bool { return p != none }

func (h *held) at(t time.Time) phase {
	switch {
	case h == nil, !h.expires.IsZero() && !t.Before(h.expires):
		return none
	case !h.lateAt.IsZero() && !t.Before(h.lateAt):
		return late
	case t.Before(h.receivedAt.Add(-clockSlack)):
		return late // the clock was set back: these times were those of a wrong one
	case !t.Before(h.renewAt):
		return stale
	}
	return fresh
}

// pausing reports whether at is in the pause between two times. A clock that was set back
// by more, as after a start without a network, does not make the pause longer.
func pausing(from, until, at time.Time) bool { return !at.Before(from) && at.Before(until) }

// maxRetryAfter bounds how long an app server can ask to be left alone.
const maxRetryAfter = 5 * time.Minute

// retryPause returns how long to wait after the given number of failures in a
// row, unless the last one asks for longer. Jitter is a number from 0 up to 1.
func retryPause(o CacheOptions, failures int, jitter float64) time.Duration {
	pause := o.RetryMin
	for range failures - 1 {
		if pause >= o.RetryMax/2 {
			pause = o.RetryMax
			break
		}
		pause *= 2
	}
	return pause - time.Duration(jitter*float64(pause)/2)
}

// retryAfterOf returns the pause that an app server has asked for.
func retryAfterOf(err error) time.Duration {
	if refusal, ok := errors.AsType[*AppServerError](err); ok {
		return refusal.RetryAfter
	}
	return 0
}

// now is the wall clock, without the monotonic reading: that one stands still
// while a laptop sleeps, and tokens expire all the same.
func now() time.Time { return time.Now().Round(0) }
