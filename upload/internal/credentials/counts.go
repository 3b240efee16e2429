package credentials

import "sync/atomic"

// Counts are what gates have done since the first of them that counts there.
type Counts struct {
	Asked    atomic.Int64 // calls of Providers, and questions that the owner put to the user
	Received atomic.Int64 // credentials that replaced others, or were the first
}
