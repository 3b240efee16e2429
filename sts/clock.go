package sts

import "time"

// clockSlack is how far clocks may seem to be apart without meaning anything: a Date
// has whole seconds, and an answer takes its time.
const clockSlack = 5 * time.Second

// clockAhead returns how far a service's clock is ahead of this machine's, negative if
// behind, from the Date of an answer to a call from begin to end. It is what is certain
// of it, and 0 without a Date.
func clockAhead(date, begin, end time.Time) time.Duration {
	var ahead time.Duration
	switch {
	case date.IsZero():
	case date.After(end):
		ahead = date.Sub(end)
	case date.Add(time.Second).Before(begin): // a Date stands for all of its second
		ahead = date.Add(time.Second).Sub(begin)
	}
	if ahead.Abs() < clockSlack {
		return 0
	}
	return ahead
}

// endingAt returns c with a [Credentials.Deadline] at the given time.
func (c Credentials) endingAt(t time.Time) Credentials {
	c.ahead = c.Expiration.Sub(t)
	if c.ahead.Abs() < clockSlack {
		c.ahead = 0
	}
	return c
}

// endOfGuess returns when a token whose expiration an app server gave expires by this
// machine's clock. The server's clock was seen too, and either may be off: the earlier
// end is safe. If the token has already expired by one of them, the other is believed,
// but not for long. It reports false if the token has expired by both.
func endOfGuess(expires time.Time, ahead time.Duration, here time.Time) (time.Time, bool) {
	first, last := expires, expires.Add(-ahead)
	if last.Before(first) {
		first, last = last, first
	}
	switch {
	case here.Before(first):
		return first, true
	case !here.Before(last):
		return last, false
	}
	if soon := here.Add(unknownLife); soon.Before(last) {
		return soon, true
	}
	return last, true
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
