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
	pending int                            // listed files that have not ended
	failed  map[ID]struct{}                // files that ended without success, and are listed or may return
	lost    map[checkpoint.Key]*GroupError // forgotten ones; nil: none
	held    []*node                        // wait for lower ranks; some may have stopped waiting since
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
		f.rank.lost = make(map[checkpoint.Key]*GroupError)
	}
	f.rank.lost[f.Key] = groupErrorOf(&f.File)
}

// groupErrorOf is the error of files that wait for one which ended without success.
func (l *List) groupErrorOf(id ID) *GroupError {
	if f := l.files[id]; f != nil {
		return groupErrorOf(&f.File)
	}
	f := l.Shelved(id)
	return groupErrorOf(&f)
}

func groupErrorOf(f *File) *GroupError { return &GroupError{ID: f.ID, Key: f.Key, State: f.State} }

// settleGroups gives the files of changed groups their turn, or fails them. Only a
// started list fails files: before that, the one that they wait for can be set back.
func (l *List) settleGroups() {
	later := l.unsettled[:0:0]
	for len(l.unsettled) > 0 {
		g := l.unsettled[0]
		l.unsettled = l.unsettled[1:]
		g.unsettled = false
		l.release(g)
		switch {
		case g.clear == len(g.ranks), g.ranks[g.clear].pending > 0:
		case l.state == Started:
			l.failHeld(g)
		default:
			later = append(later, g)
		}
	}
	l.unsettled = nil
	for _, g := range later {
		l.unsettle(g)
	}
}

// holdBack takes the files out of the front of a lane whose groups have got files of lower
// ranks since they were queued.
func (l *List) holdBack(q *lane) {
	for len(q.ready) > 0 && q.ready[0].isHeld() {
		l.replace(q.ready[0])
		l.settleGroups()
	}
}

// release lets the files have their turn that no lower rank holds back any more.
func (l *List) release(g *Group) {
	from := g.clear
	for g.clear < len(g.ranks) && g.ranks[g.clear].isClear() {
		g.clear++
	}
	for i := from; i <= g.clear && i < len(g.ranks); i++ {
		for _, f := range g.ranks[i].takeHeld() {
			l.replace(f)
		}
	}
}

// failHeld fails the files that wait for a rank of which nothing is left to come.
func (l *List) failHeld(g *Group) {
	err := l.groupError(g.ranks[g.clear])
	for i := g.clear; i+1 < len(g.ranks) && g.ranks[i].pending == 0; i++ {
		for _, f := range g.ranks[i+1].takeHeld() {
			l.failWith(f, err, false)
		}
	}
}

// takeHeld returns the files of a rank that wait for lower ones.
func (r *rank) takeHeld() []*node {
	held := r.held
	r.held = nil
	seen := make(map[ID]bool, len(held))
	return slices.DeleteFunc(held, func(f *node) bool {
		gone := seen[f.ID] || !f.isBlocked()
		seen[f.ID] = true
		return gone
	})
}

// groupError is the error of the files that wait for r.
func (l *List) groupError(r *rank) *GroupError {
	var first *GroupError
	consider := func(e *GroupError) {
		if first == nil || e.ID < first.ID {
			first = e
		}
	}
	var id ID
	for i := range r.failed {
		if id == 0 || i < id {
			id = i
		}
	}
	if id != 0 {
		consider(l.groupErrorOf(id))
	}
	for _, e := range r.lost {
		consider(e)
	}
	e := *first
	e.More = len(r.failed) + len(r.lost) - 1
	return &e
}
