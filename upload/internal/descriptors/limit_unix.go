//go:build unix

package descriptors

import (
	"math"
	"syscall"
)

// Limit returns how many descriptors the process may have open; 0 if that is not known,
// or no bound.
func Limit() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0
	}
	if n := uint64(r.Cur); n > 0 && n < math.MaxInt32 {
		return int(n)
	}
	return 0
}
