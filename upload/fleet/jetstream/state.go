package jetstream

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vodupload/vodupload/checkpoint"
)

// A state is what is known of an upload.
type state struct {
	ok    bool
	rec   checkpoint.Record
	parts map[int]checkpoint.Part
}

func newState(rec checkpoint.Record) state {
	return state{ok: true, rec: rec, parts: make(map[int]checkpoint.Part)}
}

func (s *state) put(p checkpoint.Part) { s.parts[p.Number] = p }

// all returns the parts in ascending order of their numbers.
func (s *state) all() []checkpoint.Part {
	return slices.SortedFunc(maps.Values(s.parts), func(a, b checkpoint.Part) int { return cmp.Compare(a.Number, b.Number) })
}
