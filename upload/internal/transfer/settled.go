package transfer

import (
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// dirtyFor is how long after a write the pages of a file may not have been written back:
// Linux does so after 35 s (dirty_expire_centisecs, dirty_writeback_centisecs), and as
// much again is for a busy disk.
const dirtyFor = time.Minute

// readTwice is how large a source of one request may be that is read again, rather than
// written back: the pages are in memory, and a write to the disk may take its whole queue.
const readTwice = 4 << 20

// settle has the next write to a file change its times. That is not so by itself where
// the file is mapped into memory: a page that was written to, and is not written back,
// takes further writes without a word. Where the file system cannot do it, its times
// say nothing: the bytes are read again before the object is made.
func (s *fileSource) settle(now time.Time, twice int64) error {
	h := s.open.Load()
	if !isFresh(s.state, now) && !hasNoTimes(h.openFile) {
		return nil // old files cost nothing
	}
	s.unsure = true
	if s.state.Size <= twice || !writeBack(h.openFile) {
		return nil
	}
	info, err := h.Stat()
	if err != nil {
		return err
	}
	after := stateOf(info)
	// What was written since the first look may be in a page that is dirty again, and
	// what is written within the same tick of the clock gets the same time.
	s.unsure = !sameFile(s.state, after) || after.ChangeTime.IsZero() || recorded(after, now).ChangeTime.IsZero()
	h.info, s.state = info, after
	return nil
}

// isFresh reports whether a source was written to so late that some of it may not be
// written back. A time in the future is that of another clock.
func isFresh(s checkpoint.Source, now time.Time) bool {
	for _, t := range []time.Time{s.ModTime, s.ChangeTime} {
		if !t.IsZero() && now.Sub(t) < dirtyFor {
			return true
		}
	}
	return false
}
