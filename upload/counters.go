package upload

import (
	"sync"

	"github.com/vodupload/vodupload/upload/internal/credentials"
)

// counters are what a client has done since New, besides what its transfers count.
type counters struct {
	tokens credentials.Counts

	mu      sync.Mutex
	retries map[string]int64 // by the code of the error
}

// retried counts a retry. There is a pause before each, so it may take a lock.
func (n *counters) retried(err error) {
	code := codeOf(err)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.retries == nil {
		n.retries = make(map[string]int64)
	}
	if _, known := n.retries[code]; !known && len(n.retries) >= maxCodes {
		code = otherCodes
	}
	n.retries[code]++
}

// maxCodes bounds how many codes are counted by themselves: it is the server that makes
// them. Further ones are otherCodes.
const (
	maxCodes   = 100
	otherCodes = "Other"
)
