package slots

import "time"

// The bounds of Auto. It goes below autoFloor only where the server throttles.
const (
	autoLeast = 1
	autoFloor = 5 // where it begins
	AutoMost  = 64
)

const (
	// autoWindow is the least time that a measurement takes. It also takes twice as
	// many requests as are in flight, so that each slot counts.
	autoWindow = 250 * time.Millisecond

	// autoGain is how much of what a change of the limit could bring at best it has to
	// bring: a limit twice as high is kept if it brings 30 % more.
	autoGain = 0.3

	// autoPause is how many windows lie between two changes that brought nothing, and
	// autoCalm how many follow an answer that throttles.
	autoPause = 4
	autoCalm  = 12

	// autoBusy is how much of the requests must have ended while all slots were in
	// use: otherwise it is not the limit that holds the upload back.
	autoBusy = 0.8
)

// An auto decides how many requests may be in flight. It is told of what happens,
// and measures the goodput, which is the bytes acknowledged per second, in windows.
// At first it doubles the limit for as long as that pays. Then it tries a quarter
// more and a fifth less in turns, and keeps the more where it brings more, and the
// less where it costs nothing. An answer that throttles halves the limit.
//
// It starts no goroutine and asks no clock. Its methods are for one goroutine at a
// time.
type auto struct {
	limit int

	ramping bool // not yet at the first limit that did not pay
	probing bool // limit is a trial, in place of kept
	down    bool // the next trial is one with less
	kept    int
	base    float64 // goodput with kept
	pause   int     // windows to the next trial

	began  time.Time // of the window; zero: with the next request that ends
	settle int       // requests to end that began before the limit was changed
	bytes  int64     // acknowledged in the window
	ended  int       // requests, in the window
	full   int       // of these, with all slots in use
	cut    time.Time // when the server throttled last
}

func newAuto() *auto { return &auto{limit: autoFloor, kept: autoFloor, ramping: true} }

// acked tells of bytes that the server has acknowledged.
func (a *auto) acked(n int64) { a.bytes += n }

// throttled tells of an answer that asks for less. Those to requests that were in
// flight together count once.
func (a *auto) throttled(now time.Time) {
	if now.Sub(a.cut) < 2*autoWindow {
		return
	}
	a.cut = now
	a.ramping, a.probing, a.down = false, false, false
	a.pause = autoCalm
	a.set(max(autoLeast, a.limit/2))
	a.kept = a.limit
}

// requestEnded tells of a request that has ended, full if all slots were in use until
// then. It returns the limit from now on.
func (a *auto) requestEnded(now time.Time, full bool) int {
	if a.settle > 0 {
		a.settle--
		return a.limit
	}
	if a.began.IsZero() {
		a.began, a.bytes = now, 0
		return a.limit
	}
	a.ended++
	if full {
		a.full++
	}
	if took := now.Sub(a.began); took >= autoWindow && a.ended >= 2*a.limit {
		goodput := float64(a.bytes) / took.Seconds()
		busy := float64(a.full) >= autoBusy*float64(a.ended)
		a.began, a.bytes, a.ended, a.full = now, 0, 0, 0
		if busy {
			a.decide(goodput)
		}
	}
	return a.limit
}

// decide takes the goodput of a window.
func (a *auto) decide(goodput float64) {
	switch {
	case a.ramping && a.base == 0:
		a.try(goodput, 2*a.limit)
	case a.ramping && a.paid(goodput) && a.limit < AutoMost:
		a.try(goodput, 2*a.limit)
	case a.ramping:
		a.ramping = false
		a.judge(goodput)
	case a.probing:
		a.judge(goodput)
	case a.pause > 0:
		a.pause--
	case a.down && a.limit > autoFloor:
		a.try(goodput, max(autoFloor, a.limit-max(1, a.limit/5)))
	case a.limit < AutoMost:
		a.down = false
		a.try(goodput, a.limit+max(1, a.limit/4))
	default:
		a.down = true
	}
}

// try begins a trial of another limit. goodput is what the one of now brings.
func (a *auto) try(goodput float64, limit int) {
	a.kept, a.base, a.probing = a.limit, goodput, true
	a.set(min(limit, AutoMost))
}

// paid reports whether a trial brought what it had to.
func (a *auto) paid(goodput float64) bool {
	change := float64(a.limit)/float64(a.kept) - 1
	return goodput >= a.base*(1+autoGain*change)
}

// judge ends a trial. More that paid is followed by more at once.
func (a *auto) judge(goodput float64) {
	paid := a.paid(goodput)
	a.probing = false
	if !paid {
		a.set(a.kept)
	}
	if paid && !a.down {
		a.pause = 0
		return
	}
	a.down = !a.down
	a.pause = autoPause
}

// set changes the limit. What was in flight before says nothing about it.
func (a *auto) set(limit int) {
	a.settle = max(a.limit, limit)
	a.limit = limit
	a.began, a.bytes, a.ended, a.full = time.Time{}, 0, 0, 0
}
