package wire

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// limiterCredit is how much unused time a Limiter makes up for: enough for timers
	// that fire late, and not enough for a burst that anybody would notice.
	limiterCredit = 50 * time.Millisecond

	// limiterStep is how much of a second one wait is worth, which makes bodies flow
	// instead of jumping; minChunk and maxChunk bound it in bytes.
	limiterStep = 20 * time.Millisecond
	minChunk    = 512
	maxChunk    = 16 << 10
)

// A Limiter holds the bodies of all requests together to a number of bytes per
// second. Requests get their turn in the order in which they ask for it, a small
// piece at a time, so that all go forward alike. Its methods may be called from any
// goroutine.
type Limiter struct {
	limits atomic.Bool // rate is finite: lets bodies pass without the lock

	mu      sync.Mutex
	rate    float64 // bytes per second
	earned  float64 // bytes that time has let through, up to at
	taken   float64 // bytes that were taken or are waited for
	at      time.Time
	changed chan struct{} // closed when rate changes
}

// NewLimiter returns a Limiter that lets bytesPerSecond through. A rate of 0 or less
// means no limit.
func NewLimiter(bytesPerSecond int64) *Limiter {
	l := &Limiter{rate: toRate(bytesPerSecond), at: time.Now(), changed: make(chan struct{})}
	l.limits.Store(bytesPerSecond > 0)
	return l
}

func toRate(bytesPerSecond int64) float64 {
	if bytesPerSecond <= 0 {
		return math.Inf(1)
	}
	return float64(bytesPerSecond)
}

// isFinite reports whether l limits anything now. A nil l does not.
func (l *Limiter) isFinite() bool { return l != nil && l.limits.Load() }

// SetRate changes the rate, also for those who are waiting.
func (l *Limiter) SetRate(bytesPerSecond int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.earn()
	l.rate = toRate(bytesPerSecond)
	l.limits.Store(bytesPerSecond > 0)
	l.wake()
}

// wake makes everyone who waits look again. The caller holds mu.
func (l *Limiter) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// WaitN waits until n bytes may be sent. If ctx ends before, it returns the cause of
// that, and those who wait behind it move up.
func (l *Limiter) WaitN(ctx context.Context, n int) error {
	l.mu.Lock()
	l.earn()
	l.taken += float64(n)
	turn := l.taken
	for {
		l.earn()
		wait, changed := l.until(turn), l.changed
		l.mu.Unlock()
		if wait <= 0 {
			return nil
		}
		err := pause(ctx, wait, changed)
		l.mu.Lock()
		if err != nil {
			l.earned += float64(n)
			l.wake()
			l.mu.Unlock()
			return err
		}
	}
}

// take takes n bytes if they may be sent at once.
func (l *Limiter) take(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.earn()
	if l.until(l.taken+float64(n)) > 0 {
		return false
	}
	l.taken += float64(n)
	return true
}

// chunk returns how many bytes should be asked for at a time.
func (l *Limiter) chunk() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if math.IsInf(l.rate, 1) {
		return math.MaxInt
	}
	n := l.rate * limiterStep.Seconds()
	return int(min(max(n, minChunk), maxChunk))
}

// earn adds what the time since the last call lets through. What nobody takes is lost
// but for limiterCredit. The caller holds mu.
func (l *Limiter) earn() {
	now := time.Now()
	d := now.Sub(l.at)
	l.at = now
	if math.IsInf(l.rate, 1) {
		l.earned = math.Max(l.earned, l.taken)
		return
	}
	l.earned += l.rate * d.Seconds()
	l.earned = math.Min(l.earned, l.taken+l.rate*limiterCredit.Seconds())
}

// until returns how long it takes to earn up to turn. The caller holds mu.
func (l *Limiter) until(turn float64) time.Duration {
	if turn <= l.earned || math.IsInf(l.rate, 1) {
		return 0
	}
	return time.Duration(math.Ceil((turn - l.earned) / l.rate * float64(time.Second)))
}

// pause waits for d, or until changed is closed, or until ctx ends.
func pause(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
