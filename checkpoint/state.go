package checkpoint

import "slices"

// A state is what an upload's holder knows of it. The stores keep one in memory
// for each upload that is open: at most 0.8 MB, for 10,000 parts.
type state struct {
	rec   Record
	ok    bool   // there is a record
	slots []slot // by part number - 1; those without a part have the number 0
	parts int    // slots that have one
	dirty []int  // numbers of the parts that are not yet on disk, each once
}

type slot struct {
	part  Part
	dirty bool
}

// newState returns the state of a record with parts, all of them on disk.
func newState(rec Record, parts []Part) state {
	s := state{rec: rec, ok: true}
	for _, p := range parts {
		s.put(p)
	}
	return s
}

func (s *state) put(p Part) *slot {
	if n := p.Number - len(s.slots); n > 0 {
		s.slots = append(s.slots, make([]slot, n)...)
	}
	at := &s.slots[p.Number-1]
	if at.part.Number == 0 {
		s.parts++
	}
	at.part = p
	return at
}

// add puts p and marks it as one to be written.
func (s *state) add(p Part) { s.mark(s.put(p)) }

func (s *state) mark(at *slot) {
	if !at.dirty {
		at.dirty = true
		s.dirty = append(s.dirty, at.part.Number)
	}
}

// all returns the parts in ascending order.
func (s *state) all() []Part {
	parts := make([]Part, 0, s.parts)
	for _, at := range s.slots {
		if at.part.Number != 0 {
			parts = append(parts, at.part)
		}
	}
	return parts
}

// takeDirty returns the parts to be written, in ascending order, and takes them
// as written. If they could not be, give them to [state.markDirty].
func (s *state) takeDirty() []Part {
	slices.Sort(s.dirty)
	parts := make([]Part, len(s.dirty))
	for i, n := range s.dirty {
		at := &s.slots[n-1]
		at.dirty, parts[i] = false, at.part
	}
	s.dirty = s.dirty[:0]
	return parts
}

// markDirty marks parts as still to be written, in the form that they have now.
func (s *state) markDirty(parts []Part) {
	for _, p := range parts {
		s.mark(&s.slots[p.Number-1])
	}
}
