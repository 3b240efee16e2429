package dashboard

import (
	"context"
	"sync"
	"time"
)

// Fleet is what a program with many machines tells its viewers.
type Fleet struct {
	Counts  []FleetCount  `json:"counts"` // in the order in which they are shown
	Workers []FleetWorker `json:"workers"`
	Jobs    []FleetJob    `json:"jobs"` // the first 200 are shown
}

// A FleetCount is how many jobs there are in one state.
type FleetCount struct {
	State string `json:"state"` // in a word or two
	Jobs  int    `json:"jobs"`
}

// A FleetWorker is one machine, or one process of it.
type FleetWorker struct {
	Name  string `json:"name"`
	State string `json:"state"` // in a word or two
	Jobs  int    `json:"jobs"`  // that it has
}

// A FleetJob is one upload that some worker does or is to do.
type FleetJob struct {
	ID        string `json:"id"`
	State     string `json:"state"`
	Worker    string `json:"worker"`
	Object    string `json:"object"`
	Attempts  int    `json:"attempts"`
	Takeovers int    `json:"takeovers"` // by another worker, of one that had died
	Size      int64  `json:"size"`
	Uploaded  int64  `json:"uploaded"`
	Error     string `json:"error"` // in one line, without a secret
}

// fleetEvery is how often the fleet is asked, and fleetWait how long it has.
const (
	fleetEvery = 2 * time.Second
	fleetWait  = 5 * time.Second
)

// A fleetView has what the fleet answered last. Each question has a goroutine of its own:
// the fleet may be slow.
type fleetView struct {
	ask func(context.Context) (Fleet, error)
	run func(func(context.Context)) // on a goroutine that Close waits for

	mu     sync.Mutex
	last   fleetTopic
	asked  time.Time
	asking bool
}

type fleetTopic struct {
	Fleet
	Error string `json:"error"`
}

func (v *fleetView) now() fleetTopic {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.asking && time.Since(v.asked) >= fleetEvery {
		v.asking, v.asked = true, time.Now()
		v.run(v.question)
	}
	return v.last
}

func (v *fleetView) question(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, fleetWait)
	defer cancel()
	fleet, err := v.ask(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asking = false
	if err != nil {
		v.last.Error = err.Error()
		return
	}
	fleet.Jobs = fleet.Jobs[:min(len(fleet.Jobs), maxRows)]
	v.last = fleetTopic{Fleet: fleet}
}
