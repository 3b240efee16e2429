package upload

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// The ranks in the queue for slots: clean-ups first, since they are short, and Close may
// be waiting for them; then the files of Upload, whose callers wait; then those of the
// list, in its order.
const (
	cleanupRank = math.MinInt64
	directRanks = -1 << 62 // and up
)

func rankOf(e *entry) int64 {
	if e.direct != nil {
		return directRanks + int64(e.id)
	}
	return int64(e.id)
}

// fileSlots are the client's slots for requests as one file uses them. A file of the
// list is started with a slot in hand, so that no more files are started than there are
// free slots; its first request uses it.
type fileSlots struct {
	c      *Client
	rank   int64
	inHand atomic.Bool
}

// Acquire implements [transfer.Slots].
func (s *fileSlots) Acquire(ctx context.Context) error {
	if ctx.Err() == nil && s.inHand.CompareAndSwap(true, false) {
		return nil
	}
	rank := s.rank
	if transfer.IsCleanup(ctx) {
		rank = cleanupRank
	}
	err := s.c.slots.Acquire(ctx, rank)
	if err != nil {
		s.c.startFiles() // the slot may have been granted too late, and is free again
	}
	return err
}

// Release implements [transfer.Slots].
func (s *fileSlots) Release() {
	if s.c.slots.Release() {
		s.c.startFiles()
	}
}

// putDown gives back the slot that the file was started with, if it still has it.
func (s *fileSlots) putDown() {
	if s.inHand.CompareAndSwap(true, false) {
		s.c.slots.Return(1)
		s.c.startFiles()
	}
}
