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
