package slots

import (
	"math"
	"time"
)

// The bounds of Auto. It goes below autoFloor only where the server throttles.
const (
	autoLeast = 1
	autoFloor = 5 // where it begins
	AutoMost  = 64
)

const (
	// AutoTick is how often [Budget.Measure] should be called while requests are in flight.
	AutoTick = 50 * time.Millisecond

	// A window is what a decision looks at: at least autoWindow and autoTrips round trips.
	autoWindow = 250 * time.Millisecond
	autoTrips  = 3

	// autoLook is how many windows a trial has, once the limit has been found roughly: what
	// single windows bring varies by a quarter. autoMemory is how many of the windows before
	// count.
	autoLook   = 3
	autoMemory = 8

	// autoSettle is how many round trips new connections have before they are judged.
	autoSettle = 2

	// autoGain is how much of what a change of the limit could bring at best it has to
	// bring: a limit twice as high is kept if it brings 15 % more.
	autoGain = 0.15

	// autoLossy is what the limit grows by, at once, where connections lose packets while
	// nothing waits on the way. Each of them is then as slow as TCP makes it for its losses,
	// whatever the link could carry: more of them bring more.
	autoLossy = 3

	// autoFar is from which round trip on losses count: on a shorter way, a connection soon
	// makes up for them.
	autoFar = 10 * time.Millisecond

	// autoCalmed is how many windows in a row packets must not wait before more is tried,
	// once they did: with BBR, a full link looks empty for a round trip now and then.
	autoCalmed = 4

	// autoWide bounds how many requests there are for five of them to send, and autoIdle is
	// from which share of idle ones on there are more than five: with fewer than that, more
	// requests end later, all together, at the end of a file of few parts.
	autoWide = 16
	autoIdle = 0.1

	// autoManners is how long after an answer that throttles the limit grows in small steps
	// only.
	autoManners = time.Minute

	// autoGrowth is from when on a goodput still grows by itself, as it does while
	// connections are new.
	autoGrowth = 1.25

	// autoPause is how many windows follow a change that brought nothing, at first; it
	// doubles with each of them in a row, up to autoLongest. autoCalm follow an answer
	// that throttles.
	autoPause   = 4
	autoLongest = 64
	autoCalm    = 12

	// autoBusy is how much of a window all slots must have been in use: otherwise it is
	// not the limit that holds the upload back.
	autoBusy = 0.8
)

// Traffic is what the connections carry, all together.
type Traffic struct {
	// Acked is how many bytes the other sides have acknowledged up to now.
	Acked uint64

	// Losses is how many packets were sent again up to now, by connections that slow down
	// for that.
	Losses uint64

	// RoundTrip is the least round trip, and Delay how much longer it takes now: what
	// waits on the way. 0: not known.
	RoundTrip, Delay time.Duration

	// Idle is the share of the requests in flight that have sent all they have, and wait for
	// the answer. Yields is whether there are connections that
	// slow down for losses.
	Idle   float64
	Yields bool
}

// An auto decides how many requests may be in flight. It is told what the connections
// carry, and decides at the end of each window:
//
//   - Where packets wait on the way, the link is full: more would bring nothing.
//   - Where none wait and some get lost, the limit grows at once.
//   - It also grows at first as long as the goodput does, on ways where connections that
//     slow down for losses need many round trips to fill the link.
//   - Requests that wait for their answer do not use the link: there are as many that five
//     others send, most of the time.
//   - Else it is tried: twice as many as long as that pays, then half as many more. What
//     does not pay is taken back.
//   - Where the link is full, or more did not pay, a fifth less is tried now and then, and
//     kept if it costs nothing.
//
// An answer that throttles halves the limit.
//
// It starts no goroutine and asks no clock. Its methods are for one goroutine at a
// time.
type auto struct {
	limit int

	trial   trial
	kept    int     // the limit that the trial began with
	base    float64 // and its goodput, in bytes per second
	ramping bool    // not yet at the first limit that did not pay
	down    bool    // the next trial is one with less
	last    float64 // goodput of the window before; 0: unknown
	mean    float64 // goodput of the windows with this limit
	windows int     // of the mean
	pause   int     // windows to the next trial
	failed  int     // trials in a row that did not pay
	calmed  int     // windows in a row without packets that wait; from autoCalmed on at first
	idle    float64 // share of the requests that wait for their answer, of late

	began time.Time // of the window; zero: with the next look
	from  Traffic   // then
	ready time.Time // when the connections of a trial have begun; zero: with the next look
	looks int       // in the window
	full  int       // of these, with all slots in use
	waits int       // of these, with packets that waited on the way
	rests float64   // sum of the shares of idle requests
	cut   time.Time // when the server throttled last
}

// A trial is of another limit than before.
type trial int

const (
	noTrial trial = iota
	more
	less
)

func newAuto() *auto {
	return &auto{limit: autoFloor, kept: autoFloor, ramping: true, calmed: autoCalmed}
}

// throttled records an answer that asks for less. Those to requests that were in
// flight together count once.
func (a *auto) throttled(now time.Time) {
	if now.Sub(a.cut) < 2*autoWindow {
		return
	}
	a.cut = now
	a.ramping, a.trial, a.down, a.failed = false, noTrial, false, 0
	a.pause = autoCalm
	a.set(max(autoLeast, a.limit/2))
}

// look takes what was carried up to now. full says that all slots are in use.
func (a *auto) look(now time.Time, t Traffic, full bool) {
	if a.began.IsZero() {
		if a.ready.IsZero() && a.trial != noTrial {
			a.ready = now.Add(autoSettle * t.RoundTrip)
		}
		if !now.Before(a.ready) {
			a.open(now, t)
		}
		return
	}
	a.looks++
	if full {
		a.full++
	}
	if t.RoundTrip > 0 && t.Delay > t.RoundTrip/4+5*time.Millisecond {
		a.waits++
	}
	if t.RoundTrip > 0 { // the link is not idle while packets wait on the way
		a.rests += t.Idle * float64(t.RoundTrip) / float64(t.RoundTrip+t.Delay)
	}
	took := now.Sub(a.began)
	far := t.RoundTrip >= autoFar && now.Sub(a.cut) >= autoManners
	loses := far && t.Losses > a.from.Losses && a.waits == 0
	if trips := autoTrips * t.RoundTrip; took < max(autoWindow, trips) && !(loses && took >= max(autoWindow, trips*2/3)) {
		return
	}
	w := window{
		goodput: float64(t.Acked-a.from.Acked) / took.Seconds(),
		waits:   2*a.waits > a.looks,
		loses:   loses,
		far:     far,
		yields:  t.Yields,
	}
	a.idle += (a.rests/float64(a.looks) - a.idle) / 2
	busy := float64(a.full) >= autoBusy*float64(a.looks)
	a.open(now, t)
	if !busy {
		return
	}
	last := a.last
	a.last = w.goodput
	w.grows = last == 0 || w.goodput > autoGrowth*last
	if a.windows < autoMemory {
		a.windows++
	}
	a.mean += (w.goodput - a.mean) / float64(a.windows)
	a.decide(w)
}

// open begins a window.
func (a *auto) open(now time.Time, t Traffic) {
	a.began, a.from, a.looks, a.full, a.waits = now, t, 0, 0, 0
	a.rests = 0
}

// A window is what was seen in one.
type window struct {
	goodput float64 // bytes per second
	waits   bool    // packets wait on the way, most of the time
	loses   bool    // some got lost although none waited, and their connections slow down for that
	grows   bool    // the goodput grows by itself
	far     bool    // the other side is far away, and does not throttle
	yields  bool    // the connections slow down for losses
}

func (a *auto) decide(w window) {
	if a.calmed++; w.waits {
		a.calmed = 0
	}
	calm := a.calmed >= autoCalmed
	switch {
	case w.loses && a.limit < AutoMost:
		a.trial, a.failed, a.pause = noTrial, 0, autoPause
		a.set(a.limit * autoLossy)
	case a.ramping && a.trial == noTrial && w.far && w.yields && w.grows && !w.waits && a.limit < AutoMost:
		last := w.goodput
		a.set(2 * a.limit)
		a.last = last
	case w.far && !w.waits && a.limit >= autoFloor && a.limit < a.floor():
		a.trial, a.pause = noTrial, max(a.pause, autoPause)
		a.set(a.floor())
	case a.trial != noTrial && !a.ramping && a.windows < autoLook:
	case a.trial != noTrial:
		a.judge(w)
	case a.pause > 0:
		a.pause--
	case a.ramping && calm && !w.grows && a.limit < AutoMost:
		a.try(more, 2*a.limit)
	case a.ramping && !w.waits:
	case a.limit > a.floor() && (a.down || w.waits):
		a.try(less, max(a.floor(), a.limit-max(1, a.limit/5)))
	case calm && a.limit < AutoMost:
		a.try(more, a.limit+max(1, a.limit/2))
	default:
		a.down = true
	}
}

// floor is the least number of requests of which five send, most of the time: the mean
// less the standard deviation.
func (a *auto) floor() int {
	n := autoFloor
	for sends := 1 - a.idle; n < autoWide && a.idle > autoIdle; n++ {
		if mean := float64(n) * sends; mean-math.Sqrt(mean*a.idle) >= autoFloor {
			break
		}
	}
	return n
}

// try begins a trial of another limit.
func (a *auto) try(t trial, limit int) {
	a.trial, a.kept, a.base = t, a.limit, a.mean
	if a.ramping {
		a.base = a.last // what was before grew by itself
	}
	a.set(limit)
}

// judge ends a trial. More that paid is followed by more at once.
func (a *auto) judge(w window) {
	change := float64(a.limit)/float64(a.kept) - 1
	paid := a.mean >= a.base*(1+autoGain*change)
	was := a.trial
	a.trial = noTrial
	if !paid {
		a.ramping = false
		a.set(a.kept)
	}
	if paid && was == more { // more of the same, at once
		a.failed = 0
		if a.ramping && !w.waits && a.limit < AutoMost {
			a.try(more, 2*a.limit)
		}
		return
	}
	if paid {
		a.failed = 0
	} else {
		a.failed++
	}
	a.down = was == more
	a.pause = min(autoLongest, autoPause<<min(a.failed, 8))
}

// set changes the limit. What was carried before says nothing about it.
func (a *auto) set(limit int) {
	a.limit = min(limit, AutoMost)
	a.began, a.ready, a.last = time.Time{}, time.Time{}, 0
	a.mean, a.windows = 0, 0
}
