package filelist

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/vodupload/vodupload/checkpoint"
)

// A Group orders files: one of a rank is not started before all files of lower ranks
// have succeeded. If these have ended, and some of them without success, it fails. The
// zero value is ready for use, in one list.
//
// A file that is deleted does not count any more. One that is forgotten counts as it
// ended, until a file of the same key and rank has succeeded.
type Group struct {
	ranks     []*rank // by number
	clear     int     // leading ranks that hold nobody back; there may be more until the group is settled
	unsettled bool    // it is in the list's queue
}

// A rank is the files of a group that wait for the same ones.
type rank struct {
	group   *Group
	number  int
	pending int                           // listed files that have not ended
	failed  map[ID]struct{}               // files that ended without success, and are listed or may return
	lost    map[checkpoint.Key]GroupError // forgotten ones; nil: none
	held    []*node                       // wait for lower ranks; some may have stopped waiting since
}

// A Rank is what a file that has left and may return keeps of its place in a group.
type Rank = rank

// isClear reports whether the rank holds nobody back.
func (r *rank) isClear() bool { return r.pending == 0 && len(r.failed)+len(r.lost) == 0 }

// A standing is what a file means to its group.
type standing uint8

const (
	outside   standing = iota // nothing: deleted, or it has succeeded
	unended                   // it holds higher ranks back
	unsuccess                 // it fails higher ranks
)

func (f *node) standingNow() standing {
	switch {
	case f.Deleted, f.State == FileSucceeded:
		return outside
	case f.State.Terminal():
		return unsuccess
	}
	return unended
}

// ErrGroup is the error of a file whose turn in its group cannot come.
var ErrGroup = errors.New("upload: a file of a lower rank in its group did not succeed")

// A GroupError is an [ErrGroup] that names the first file which ended without success.
type GroupError struct {
	ID    ID
	Key   checkpoint.Key
	State FileState
	More  int // files that ended without success as well
}

func (e *GroupError) Error() string {
	ended := "failed"
	if e.State == FileCanceled {
		ended = "was canceled"
	}
	if e.More > 0 {
		ended += fmt.Sprintf(", and %d more did not succeed", e.More)
	}
	return fmt.Sprintf("%v: %s (file %d) %s", ErrGroup, e.Key.Source, e.ID, ended)
}

func (e *GroupError) Unwrap() error { return ErrGroup }

// rank returns the group's rank of a number, a new one if there is none.
func (g *Group) rank(number int) *rank {
	i, ok := g.find(number)
	if !ok {
		g.ranks = slices.Insert(g.ranks, i, &rank{group: g, number: number, failed: make(map[ID]struct{})})
		g.clear = min(g.clear, i)
	}
	return g.ranks[i]
}

// find returns the place of a rank among the group's, and whether it is there.
func (g *Group) find(number int) (int, bool) {
	return slices.BinarySearchFunc(g.ranks, number, func(r *rank, n int) int { return cmp.Compare(r.number, n) })
}

// isHeld reports whether a file waits for lower ranks of its group.
func (f *node) isHeld() bool {
	if f.rank == nil {
		return false
	}
	g := f.rank.group
	return g.clear < len(g.ranks) && g.ranks[g.clear].number < f.rank.number
}

// regroup brings the group of a file up to date with a change of it.
func (l *List) regroup(f *node) {
	r := f.rank
	if r == nil {
		return
	}
	now := f.standingNow()
	if now == f.stands {
		return
	}
	switch f.stands {
	case unended:
		r.pending--
	case unsuccess:
		delete(r.failed, f.ID)
	}
	switch now {
	case unended:
		r.pending++
	case unsuccess:
		r.failed[f.ID] = struct{}{}
	}
	f.stands = now
	if f.State == FileSucceeded {
		delete(r.lost, f.Key)
	}
	i, _ := r.group.find(r.number)
	r.group.clear = min(r.group.clear, i)
	l.unsettle(r.group)
}

// unsettle has a group looked at before the next turn.
func (l *List) unsettle(g *Group) {
	if !g.unsettled {
		g.unsettled = true
		l.unsettled = append(l.unsettled, g)
	}
}

// lose keeps in mind that a file which ended without success was forgotten.
func (l *List) lose(f *node) {
	if f.rank == nil || f.stands != unsuccess {
		return
	}
	if f.rank.lost == nil {
		f.rank.lost = make(map[checkpoint.Key]GroupError)
	}
	f.rank.lost[f.Key] = groupErrorOf(f.File)
}

// groupErrorOf is the error of files that wait for one which ended without success.
func groupErrorOf(f File) GroupError { return GroupError{ID: f.ID, Key: f.Key, State: f.State} }
