package transfer

import (
	"errors"
	"fmt"
)

// Limits of OSS (OSS documentation, Limits).
const (
	MinPartSize = 100 << 10                     // of each part but the last, in bytes
	MaxPartSize = 5 << 30                       // of a part, and of an object sent by PutObject
	MaxParts    = 10_000                        // of one upload
	MaxSize     = MaxParts * int64(MaxPartSize) // of an object: 48.8 TB
)

// ErrTooLarge is returned for a source that no plan can carry.
var ErrTooLarge = errors.New("source is too large")

// roundTo is what a part size that had to grow is rounded up to, so that parts
// begin at whole pages of the file.
const roundTo = 64 << 10

// A Plan is how a source is split into parts: all of PartSize bytes but the last.
type Plan struct {
	Size     int64
	PartSize int64
	Count    int
}

// NewPlan splits size bytes into parts of at least partSize bytes, larger if that
// is what it takes to stay within 10,000 parts. No bytes are one part, and
// so is a negative size, of a stream. It returns [ErrTooLarge] above 48.8 TB, and
// another error if partSize is not from 100 KiB to 5 GiB.
func NewPlan(size, partSize int64) (Plan, error) {
	switch {
	case size > MaxSize:
		return Plan{}, fmt.Errorf("%w: got %d bytes, want at most %d (%d parts of 5 GiB)", ErrTooLarge, size, int64(MaxSize), MaxParts)
	case partSize < MinPartSize || partSize > MaxPartSize:
		return Plan{}, fmt.Errorf("part size: got %d bytes, want %d to %d", partSize, MinPartSize, int64(MaxPartSize))
	}
	if need := ceilDiv(size, MaxParts); need > partSize {
		partSize = min(ceilDiv(need, roundTo)*roundTo, MaxPartSize)
	}
	size = max(size, 0)
	return Plan{Size: size, PartSize: partSize, Count: int(max(1, ceilDiv(size, partSize)))}, nil
}

// Single reports whether the source fits into one part, and so goes by PutObject.
func (p Plan) Single() bool { return p.Count == 1 }

// Section returns where part number n, counted from 1, begins and how long it is.
func (p Plan) Section(n int) (off, size int64) {
	off = int64(n-1) * p.PartSize
	return off, min(p.PartSize, p.Size-off)
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }
