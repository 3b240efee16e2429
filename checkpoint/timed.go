package checkpoint

import "time"

// A Timed is a [Claim] that knows how long its disk takes: so much longer do parts
// take to outlive a loss of power. The client warns of more than a second.
type Timed interface {
	Claim

	// Slowest returns how long the slowest write of a group of parts took, the one
	// that is under way included.
	Slowest() time.Duration
}

var _ Timed = (*dirUpload)(nil)

// Slowest implements [Timed].
func (u *dirUpload) Slowest() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.running == nil {
		return u.slowest
	}
	return max(u.slowest, time.Since(u.began))
}
