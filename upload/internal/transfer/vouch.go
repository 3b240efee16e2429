package transfer

import (
	"fmt"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// otherSource says why a recorded upload cannot be one of the source as it is now, or
// nothing if it may be. Times, inode and device are left out: a file that was
// copied, restored or mounted elsewhere has other ones, and mostly the same bytes.
// Where those differ, the bytes decide.
func otherSource(rec, now checkpoint.Source) string {
	switch {
	case rec.Size != now.Size:
		return fmt.Sprintf("its size was %d bytes and is %d", rec.Size, now.Size)
	case rec.Fingerprint != now.Fingerprint:
		return "its fingerprint is another"
	}
	return ""
}

// vouched reports whether the source says by itself that its bytes are the recorded
// ones: by the fingerprint that its owner gives it, or as a file of the system by its
// inode and its times. A modification time alone says nothing, for anybody can set
// it; the change time moves with each write.
func vouched(rec, now checkpoint.Source) bool {
	if otherSource(rec, now) != "" {
		return false
	}
	if now.Fingerprint != "" {
		return true
	}
	known := now.Inode != 0 && !now.ChangeTime.IsZero()
	return known && sameFile(rec, now)
}

// A Voucher is a [Source] that may know that its fingerprint cannot be wrong.
type Voucher interface{ Vouched() bool }

// isSure reports whether a source needs no sample where its fingerprint is the same.
func isSure(src Source) bool {
	g, ok := src.(*guarded)
	return ok && g.vouched
}

func sameFile(a, b checkpoint.Source) bool {
	return a.Inode == b.Inode && a.Device == b.Device &&
		a.ModTime.Equal(b.ModTime) && a.ChangeTime.Equal(b.ChangeTime)
}

// recorded returns what a record says of a source that is read from the time began on.
// A change time that had not passed by then says nothing of a write that comes after:
// it may get the same one. It is left out, so that it never equals another.
func recorded(s checkpoint.Source, began time.Time) checkpoint.Source {
	if !s.ChangeTime.IsZero() && began.Sub(s.ChangeTime) <= tick(s.ChangeTime) {
		s.ChangeTime = time.Time{}
	}
	return s
}

// tick is how far apart two writes may be that get the same time t. Whole seconds are
// those of FAT, HFS+, ext3 and old servers of NFS, the coarsest of which counts by
// two; else it is the clock of the kernel, 10 ms at most, and as much again.
func tick(t time.Time) time.Duration {
	if t.Nanosecond() == 0 {
		return 2 * time.Second
	}
	return 20 * time.Millisecond
}
