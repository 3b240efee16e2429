package world

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

var (
	seedCount = flag.Uint64("seeds", defaultSeeds, "how many schedules TestWorld runs, of the seeds from 1 on")
	oneSeed   = flag.Uint64("seed", 0, "the only seed of TestWorld; 0: several")
	traced    = flag.Bool("trace", false, "with -seed: log all requests, callbacks and lines of the clients' logs")
)

// TestWorld lives through schedules of trouble: see the package comment.
//
//	go test ./upload/internal/world -run TestWorld -args -seed=17
func TestWorld(t *testing.T) {
	if *oneSeed != 0 {
		s := generate(*oneSeed)
		t.Logf("the schedule:\n%v", s)
		try(t, s)
		return
	}
	const together = 1000 // subtests that wait take memory
	for from := uint64(1); from <= *seedCount; from += together {
		to := min(from+together-1, *seedCount)
		t.Run(fmt.Sprintf("seeds %d to %d", from, to), func(t *testing.T) {
			for seed := from; seed <= to; seed++ {
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
					t.Parallel()
					try(t, generate(seed))
				})
			}
		})
	}
}

// try fails the test if something is not as it was promised, with the shortest schedule
// that shows it.
func try(t *testing.T, s schedule) {
	found := live(t, s)
	if len(found) == 0 {
		return
	}
	t.Errorf("%s\n\nin this schedule:\n%v\n\nto see it again:\n\tgo test ./upload/internal/world -run TestWorld -args -seed=%d",
		strings.Join(found, "\n"), s, s.Seed)
	if short, found := shrink(t, s, found); len(short.Events) < len(s.Events) {
		t.Logf("it also happens in this one:\n%v\n\n%s", short, strings.Join(found, "\n"))
	}
}

// live runs a schedule in a bubble of its own, and returns what was not as promised. A
// goroutine that does not end is such a thing, too.
func live(t *testing.T, s schedule) (found []string) {
	defer func() {
		if v := recover(); v != nil {
			found = append(found, fmt.Sprint("the bubble did not end: ", v))
		}
	}()
	synctest.Test(t, func(t *testing.T) { found = run(t, s) })
	return found
}

// shrink leaves out events as long as something is still found, and returns what that is.
func shrink(t *testing.T, s schedule, found []string) (schedule, []string) {
	for i := 0; i < len(s.Events); {
		less := s
		less.Events = append(append([]event(nil), s.Events[:i]...), s.Events[i+1:]...)
		if still := live(t, less); len(still) > 0 {
			s, found = less, still
		} else {
			i++
		}
	}
	return s, found
}
