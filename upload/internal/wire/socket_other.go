//go:build !linux || !(amd64 || arm64)

package wire

// copyBuffer is the size of the pieces in which a body goes to a connection. A connection
// that takes one within StallTimeout has made progress: floorRate allows no more.
const copyBuffer = 32 << 10

// sample would return what the other side has acknowledged. This system is not asked.
func (s *socket) sample() (acked uint64, queued int, ok bool) { return 0, 0, false }

func (s *socket) path() path { return path{} }

func (s *socket) congestion() string { return "" }
