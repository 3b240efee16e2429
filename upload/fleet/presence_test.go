package fleet_test

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/fleet"
)

func TestWorkersShareTheBudget(t *testing.T) {
	t.Parallel()
	const limit, presence = 11, 4 * time.Second
	p := newPlant(t)
	budget := func(o *fleet.WorkerOptions) { o.FleetParallel, o.Presence = limit, presence }
	a := p.worker("a", budget)
	if n := a.Stats().Slots; n != 1 {
		t.Errorf("a worker that starts has %d requests, want 1 until the others have shrunk", n)
	}
	await(t, "one has all", func() bool { return a.Stats().Slots == limit })
	b := p.worker("b", budget)
	together := 0
	await(t, "each has its half", func() bool {
		of, and := a.Stats().Slots, b.Stats().Slots
		together = max(together, of+and)
		return of+and == limit && of <= 6 && and <= 6
	})
	if together > limit+1 {
		t.Errorf("together they had %d requests while one joined, want %d, and 1 of the newcomer", together, limit)
	}
	left := time.Now()
	b.stop()
	await(t, "the one that is left has all again", func() bool { return a.Stats().Slots == limit })
	if took := time.Since(left); took < presence {
		t.Errorf("it grew after %v, want it to wait for Presence", took)
	}
}
