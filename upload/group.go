package upload

import (
	"fmt"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// A Group orders files of one client's list by their File.Rank: a file is started once all
// files of lower ranks in its group have succeeded. So the segments of a stream are all
// stored before the playlist that names them, whatever is retried, and viewers are never
// sent to what is not there. Files of the same rank are uploaded at the same time. Of a file
// that is held back on a started client, FileInfo.Waiting says so: see [WaitGroup].
//
// The zero value is ready for use. Add the files before Start, in any order, or lower
// ranks first: a file that has been started does not wait for one that is added later.
//
// If a file fails, or is canceled, and nothing of the lower ranks is left to come, the
// files of higher ranks fail with [ErrGroup], which names it. [Client.ResumeFile] of that
// file and then of those has all of them uploaded; with Options.ForgetEnded, add them
// again. A file that is deleted does not count any more.
type Group struct {
	owner atomic.Pointer[filelist.List] // of the client that the files are of
	files filelist.Group                // guarded by the owner's lock
}

// Format writes the name of g's type and nothing else: what it holds changes meanwhile.
func (g *Group) Format(f fmt.State, _ rune) { fmt.Fprint(f, "upload.Group") }

// checkGroup returns an error for a file that cannot be in its group.
func (f *File) checkGroup(l *filelist.List) error {
	if f.Group == nil {
		if f.Rank != 0 {
			return fmt.Errorf("%w: File.Rank: got %d without a File.Group", ErrInvalidArgument, f.Rank)
		}
		return nil
	}
	if !f.Group.owner.CompareAndSwap(nil, l) && f.Group.owner.Load() != l {
		return fmt.Errorf("%w: File.Group: it orders the files of another client", ErrInvalidArgument)
	}
	return nil
}

// ranks returns the list's part of the group.
func (g *Group) ranks() *filelist.Group {
	if g == nil {
		return nil
	}
	return &g.files
}
