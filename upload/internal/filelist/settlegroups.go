package filelist

import (
	"maps"
	"slices"
)

// settleGroups gives the files of changed groups their turn, or fails them. Only a
// started list fails files: before that, the one that they wait for can be set back.
func (l *List) settleGroups() {
	var later []*Group
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

// groupError is the error of the files that wait for r: it names the first of those that
// ended without success.
func (l *List) groupError(r *rank) *GroupError {
	var first GroupError
	if len(r.failed) > 0 {
		id := slices.Min(slices.Collect(maps.Keys(r.failed)))
		if f := l.files[id]; f != nil {
			first = groupErrorOf(f.File)
		} else {
			first = groupErrorOf(l.Shelved(id))
		}
	}
	for _, e := range r.lost {
		if first.ID == 0 || e.ID < first.ID {
			first = e
		}
	}
	first.More = len(r.failed) + len(r.lost) - 1
	return &first
}
