package checkpoint

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// leaseLook is how often a Lease looks at the wall clock: a timer runs by the monotonic
// clock, which on Linux stands still while the machine sleeps.
const leaseLook = time.Second

// A Lease is what a holder knows of its own lease without asking the engine. A [Claim] of
// a store with leases has one, and is [Held] by it:
//
//	asked := time.Now()               // before the request
//	err := engine.Take(key, term)     // or Renew, or any write that the engine refused to a holder without the lease
//	lease := NewLease(term, asked)    // then lease.Renewed(asked)
//
// It is lost when two thirds of its term have passed since the request that last took or
// renewed it was sent, by the wall clock or the monotonic clock, whichever ran further:
// the engine cannot have given it to another holder by then. (A wall clock that is set
// forward loses a lease that would still hold, which is safe.) A lease that is lost stays
// lost. All methods are safe for use by many goroutines.
type Lease struct {
	term time.Duration
	now  func() instant

	mu    sync.Mutex
	asked instant
	err   error // why it is no more
	timer *time.Timer
	lost  chan struct{}
}

// NewLease returns a lease of the given term, which must be positive and the one that the
// engine was asked for; asked is the time, from [time.Now], before the request was sent.
// End has to be called when the claim is given up.
func NewLease(term time.Duration, asked time.Time) *Lease {
	return newLease(term, instantOf(asked), func() instant { return instantOf(time.Now()) })
}

func newLease(term time.Duration, asked instant, now func() instant) *Lease {
	l := &Lease{term: term, now: now, asked: asked, lost: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(l.pauseLocked(), l.look)
	return l
}

// Lost is closed once the lease is lost. The call looks at the clocks, so that a process
// that was stopped need not wait for its timers. End does not close it.
func (l *Lease) Lost() <-chan struct{} {
	_ = l.Err()
	return l.lost
}

// Err returns nil while the lease holds, by the clocks at the time of the call. Once it is
// lost, the error wraps [ErrLost]; after End it is [ErrClosed], unless it was lost before.
func (l *Lease) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.checkLocked()
}

// Renewed says that the engine has renewed the lease by a request that was sent at the
// given time, from [time.Now]. An answer that comes too late renews nothing: the result
// is that of [Lease.Err].
func (l *Lease) Renewed(asked time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.checkLocked(); err != nil {
		return err
	}
	if at := instantOf(asked); at.since(l.asked) > 0 {
		l.asked = at
	}
	return nil
}

// Lose says that the engine does not have the lease any more, or has given it to another
// holder; cause is what the engine said. It returns the error that [Lease.Err] returns
// from then on.
func (l *Lease) Lose(cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.loseLocked(cause)
	}
	return l.err
}

// End says that the holder has given the lease up. It returns the error that [Lease.Err]
// would have returned.
func (l *Lease) End() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.checkLocked()
	if err == nil {
		l.err = ErrClosed
		l.timer.Stop()
	}
	return err
}

// Until returns when the lease is lost without a renewal.
func (l *Lease) Until() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked.wall.Add(l.usable())
}

// usable is how long the lease may be used without a renewal.
func (l *Lease) usable() time.Duration { return l.term / 3 * 2 }

func (l *Lease) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.checkLocked() == nil {
		l.timer.Reset(l.pauseLocked())
	}
}

func (l *Lease) pauseLocked() time.Duration {
	left := l.usable() - l.now().since(l.asked)
	return min(max(left, 0), leaseLook)
}

func (l *Lease) checkLocked() error {
	if l.err != nil {
		return l.err
	}
	if passed := l.now().since(l.asked); passed >= l.usable() {
		l.loseLocked(fmt.Errorf("not renewed for %v, its lease is for %v", passed.Round(time.Millisecond), l.term))
	}
	return l.err
}

func (l *Lease) loseLocked(cause error) {
	switch {
	case errors.Is(cause, ErrLost):
		l.err = cause
	case cause != nil:
		l.err = fmt.Errorf("%w: %w", ErrLost, cause)
	default:
		l.err = ErrLost
	}
	l.timer.Stop()
	close(l.lost)
}

// An instant is a reading of both clocks of this machine.
type instant struct {
	wall time.Time
	mono time.Time // with a monotonic reading, by which Sub goes
}

func instantOf(t time.Time) instant { return instant{wall: t.Round(0), mono: t} }

// since returns how much time has passed from before to t, by the clock that ran further.
func (t instant) since(before instant) time.Duration {
	return max(t.wall.Sub(before.wall), t.mono.Sub(before.mono))
}
