package notify

import (
	"bytes"
	"runtime"
)

// goroutineID returns the number that the runtime gives the calling goroutine in its
// traces. There is no other way to distinguish a call from within a callback, which
// may reach the client by a variable of its own, from one that is made meanwhile
// elsewhere; the first must not wait for the callback, the second should.
func goroutineID() uint64 {
	var buf [64]byte
	text := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	var id uint64
	for _, d := range text {
		if d < '0' || d > '9' {
			break
		}
		id = id*10 + uint64(d-'0')
	}
	return id
}
