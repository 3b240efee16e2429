// Package outage decides whether an endpoint is away: it has answered before, and now
// nothing gets through to it. That is the endpoint's matter and not that of one request:
// its requests wait without spending their retries, and one at a time is made to see
// whether the endpoint is back.
//
// It is pure: values, without a clock, a lock or a goroutine. The owner calls
// [Endpoint.Enter] before each request and [Endpoint.Leave] after it, and
// [Endpoint.Tick] at the time that [Endpoint.Next] returns.
package outage

import "time"

// A Policy says how an outage is met.
type Policy struct {
	Interval time.Duration // from the begin of an outage to the first request that probes
	Limit    time.Duration // how long an outage may last, less the time in which nobody came to probe; negative: there are none
	Grace    time.Duration // how much longer for a probe that is under way then: it may be what gets through
}

// maxPause bounds the time between two probes. Below it they are a twentieth of the
// outage apart, so that its end is noticed soon, measured by how long it was.
const (
	maxPause = 15 * time.Second
	fraction = 20
)

// underWay is the fraction of an interval for which answers may still come that were under
// way when the outage began.
const underWay = 10

// quiet is how many intervals after an answer the endpoint is still taken to be there.
const quiet = 2

// An Outcome is what a request says of its endpoint.
type Outcome uint8

// The outcomes.
const (
	Nothing  Outcome = iota // it was interrupted, or never sent
	Answered                // the endpoint answered, whatever
	Lost                    // nothing came back, or 502, 503 or 504 did
)

// A Report is what became of a request.
type Report struct {
	Outcome Outcome
	Bucket  string
	Name    bool          // Lost: the bucket's host name was not resolved
	Pause   time.Duration // Lost: how long the endpoint asks to wait
	Err     error         // Lost: why
}

// A Pass is the permission to make one request.
type Pass struct {
	begun  time.Time
	outage int // in which it probes; 0: it does not
}

// A Request is what is remembered between the attempts of one request. Its zero value is
// ready.
type Request struct {
	first time.Time // when it was lost, without an answer to it since; zero: never
	lost  time.Time // when it was lost last
}

// A Verdict is what follows from the end of a request.
type Verdict uint8

// The verdicts.
const (
	Blame Verdict = iota // it is the request's own matter
	Wait                 // the endpoint is away: wait until it is back
	Gone                 // the same, and it went away with this request
	Back                 // the endpoint is back with this request
)

// An Endpoint is where connections go. Make it with [New].
type Endpoint struct {
	policy Policy

	answered time.Time       // last
	buckets  map[string]bool // that an answer was about

	outage  int // number of the present or the last one
	lost    int // number of the last one that lasted too long
	away    bool
	probing bool
	since   time.Time
	ends    time.Time // when it will have lasted too long, by the time in which somebody probes
	due     time.Time // of the next probe
	wake    time.Time // when somebody has to be woken for it
	err     error     // of the last request that was lost
}

// New returns an endpoint that has never answered.
func New(p Policy) *Endpoint { return &Endpoint{policy: p, buckets: make(map[string]bool)} }

// Away reports whether the endpoint is away.
func (e *Endpoint) Away() bool { return e.away }

// Outage returns the number of the present outage, or of the last one, from 1.
func (e *Endpoint) Outage() int { return e.outage }

// TooLong reports whether the outage of that number has lasted too long.
func (e *Endpoint) TooLong(outage int) bool { return outage > 0 && e.lost == outage }

// Since returns when the present or the last outage began.
func (e *Endpoint) Since() time.Time { return e.since }

// Err returns why the last request was lost.
func (e *Endpoint) Err() error { return e.err }

// EnterEarly is Enter for a request that is not made again, about the outcome of another
// one that has just been lost: it does not wait until a probe is due.
func (e *Endpoint) EnterEarly(now time.Time) (p Pass, ok bool) {
	if e.away && !e.probing && now.Before(e.due) {
		e.due = now
	}
	return e.Enter(now)
}

// Open reports whether Enter would let a request pass.
func (e *Endpoint) Open(now time.Time) bool {
	return !e.away || !e.probing && !now.Before(e.due)
}

// Enter lets a request pass. In an outage it does so for one at a time.
func (e *Endpoint) Enter(now time.Time) (p Pass, ok bool) {
	if !e.Open(now) {
		return p, false
	}
	p.begun = now
	if e.away {
		p.outage, e.probing = e.outage, true
		e.ends = e.ends.Add(now.Sub(e.due)) // nobody looked meanwhile
	}
	return p, true
}

// Leave records the end of a request that passed.
func (e *Endpoint) Leave(p Pass, q *Request, r Report, now time.Time) Verdict {
	probe := e.away && p.outage == e.outage
	if probe {
		e.probing = false
	}
	switch r.Outcome {
	case Answered:
		e.answered, q.first = now, time.Time{}
		e.buckets[r.Bucket] = true
		if e.away && (probe || now.Sub(e.since) >= e.policy.Interval/underWay) {
			e.away, e.probing = false, false
			return Back
		}
	case Lost:
		return e.leaveLost(probe, p, q, r, now)
	default:
		if probe { // another one may probe at once
			e.due, e.wake = now, now
		}
	}
	return Blame
}

func (e *Endpoint) leaveLost(probe bool, p Pass, q *Request, r Report, now time.Time) Verdict {
	defer func() { q.lost = now }()
	if q.first.IsZero() {
		q.first = now
	}
	switch {
	case probe:
		e.err = r.Err
		e.postpone(now, r.Pause)
		return Wait
	case e.away:
		return Wait
	case e.blames(p, q, r, now):
		return Blame
	}
	e.outage++
	e.away, e.probing, e.since, e.err = true, false, now, r.Err
	e.ends = now.Add(e.policy.Limit)
	e.postpone(now, r.Pause)
	return Gone
}

// blames reports whether the loss of a request says nothing of the endpoint: that has
// never answered, or it has just answered other requests. A name that is not resolved is
// the matter of its bucket until that has answered. A request that has been lost for longer
// than an outage may last, while others were answered, is lost for a reason of its own.
func (e *Endpoint) blames(p Pass, q *Request, r Report, now time.Time) bool {
	begun := p.begun
	if !q.lost.IsZero() {
		begun = q.lost
	}
	switch {
	case e.policy.Limit < 0, len(e.buckets) == 0:
		return true
	case r.Name && !e.buckets[r.Bucket]:
		return true
	}
	if !e.answered.After(begun) {
		return false
	}
	return now.Sub(e.answered) < quiet*e.policy.Interval || now.Sub(q.first) >= e.policy.Limit
}

// postpone sets when the next probe is due.
func (e *Endpoint) postpone(now time.Time, asked time.Duration) {
	pause := max(e.policy.Interval, min(now.Sub(e.since)/fraction, maxPause), asked)
	e.due = now.Add(pause)
	e.wake = e.due
}

// Delay returns how far off the next probe is.
func (e *Endpoint) Delay(now time.Time) time.Duration { return max(0, e.due.Sub(now)) }

// Next returns when Tick has to be called; false: never, as it is now.
func (e *Endpoint) Next() (at time.Time, ok bool) {
	if !e.away {
		return at, false
	}
	if e.probing || e.ends.Before(e.due) {
		return e.over(), true
	}
	return e.wake, true
}

// over returns when the present outage will have lasted too long.
func (e *Endpoint) over() time.Time {
	if e.probing {
		return e.ends.Add(e.policy.Grace)
	}
	return e.ends
}

// Tick reports what is to be done now: wake one of those that wait, so that it probes, or
// all, because the outage has lasted too long. Then the endpoint is one that has never
// answered.
func (e *Endpoint) Tick(now time.Time) (wakeOne, tooLong bool) {
	switch {
	case !e.away:
	case !now.Before(e.over()) && (e.probing || e.ends.Before(e.due)):
		e.lost = e.outage
		e.away, e.probing = false, false
		clear(e.buckets)
		return false, true
	case !e.probing && !now.Before(e.wake):
		e.wake = now.Add(e.policy.Interval) // the one that is woken may come to nothing
		return true, false
	}
	return false, false
}
