package filelist

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

// TestReturn has files leave that failed, and return in any order, at once or later.
func TestReturn(t *testing.T) {
	const n = 7
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		l := New(Limits{Parallel: 1, Started: 1, ShelveEnded: true})
		for i := range n {
			id, err := l.Add(checkpoint.Key{Object: string(rune('a' + i))}, AddOptions{Size: 10})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Fail(id, errRun); err != nil {
				t.Fatal(err)
			}
		}
		l.Take()
		before := l.Totals()
		var gone []Left
		for _, i := range r.Perm(n)[:1+r.IntN(n)] {
			left, ok := l.Leave(ID(i+1), 1, nil)
			if _, listed := l.Lookup(ID(i + 1)); !ok || listed || left.Failure != i+1 {
				t.Fatalf("seed %d: file %d has not left: %+v", seed, i+1, left)
			}
			gone = append(gone, left)
			if r.IntN(2) == 0 {
				l.Take()
			}
		}
		for _, left := range gone {
			l.Return(left)
			l.Take()
		}
		l.Take()
		var ids []ID
		for f := range l.All() {
			ids = append(ids, f.ID)
		}
		if !slices.Equal(ids, []ID{1, 2, 3, 4, 5, 6, 7}) || l.Totals() != before {
			t.Fatalf("seed %d: the list is %v, %+v; want it as it was, %+v", seed, ids, l.Totals(), before)
		}
		for _, left := range gone {
			l.LeaveAgain(left.ID)
			if effects := l.Take(); len(effects) != 1 || effects[0] != (Effect{Kind: Over, File: left.ID, Run: 1}) {
				t.Fatalf("seed %d: got %+v, want that file %d is to leave", seed, effects, left.ID)
			}
		}
		id := gone[0].ID
		if err := l.Retry(id); err != nil {
			t.Fatal(err)
		}
		if f, _ := l.Lookup(id); f.State != FileInit || f.Phase != Waiting {
			t.Fatalf("seed %d: set back, it is %+v", seed, f)
		}
		if _, ok := l.Leave(id, 1, nil); ok {
			t.Fatalf("seed %d: it has left though it was set back", seed)
		}
	}
}
