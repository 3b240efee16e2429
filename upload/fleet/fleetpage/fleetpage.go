// Package fleetpage shows a fleet on the page of package dashboard:
//
//	page, err := dashboard.New(client, &dashboard.Options{Fleet: fleetpage.Of(queue)})
//
// The page has the jobs by state, the workers with how many jobs each has, and the first
// 200 jobs: those that run and those that are dead before those that wait, and these before
// those that have succeeded.
package fleetpage

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload/dashboard"
	"github.com/vodupload/vodupload/upload/fleet"
)

const (
	shown    = 200             // jobs
	scanTime = 3 * time.Second // how long jobs are read; the page gives 5 s
	share    = 10              // reading them takes at most one in so much of the time
)

// Of returns what is to be the Fleet of dashboard.Options. The states of jobs are read all,
// so a long list is read more seldom: at most a tenth of the time, and never for more than
// 3 s, after which the page has those that were read.
func Of(q *fleet.Queue) func(context.Context) (dashboard.Fleet, error) {
	v := &view{queue: q}
	return v.ask
}

// A view has the jobs that were read last.
type view struct {
	queue *fleet.Queue

	mu   sync.Mutex
	jobs []fleet.JobInfo
	busy map[string]int // running jobs by worker
	next time.Time      // when the jobs are read again
}

func (v *view) ask(ctx context.Context) (dashboard.Fleet, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	counts, err := v.queue.Counts(ctx)
	if err != nil {
		return dashboard.Fleet{}, err
	}
	alive, err := v.queue.Workers(ctx)
	if err != nil {
		return dashboard.Fleet{}, err
	}
	if began := time.Now(); !began.Before(v.next) {
		if err := v.scan(ctx); err != nil {
			return dashboard.Fleet{}, err
		}
		v.next = time.Now().Add(share * time.Since(began))
	}
	f := dashboard.Fleet{
		Counts:  countsOf(counts),
		Workers: workersOf(alive, v.busy),
	}
	for i := range v.jobs {
		f.Jobs = append(f.Jobs, jobOf(&v.jobs[i]))
	}
	return f, nil
}

// scan reads the jobs, as far as there is time.
func (v *view) scan(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	var jobs []fleet.JobInfo
	busy := make(map[string]int)
	for info, err := range v.queue.Jobs(ctx) {
		if errors.Is(err, context.DeadlineExceeded) && len(jobs) > 0 {
			break
		}
		if err != nil {
			return err
		}
		if info.State == fleet.StateRunning {
			busy[info.Worker]++
		}
		if jobs = append(jobs, info); len(jobs) >= 10*shown {
			jobs = first(jobs)
		}
	}
	v.jobs, v.busy = first(jobs), busy
	return nil
}

// first returns the jobs to show.
func first(jobs []fleet.JobInfo) []fleet.JobInfo {
	slices.SortFunc(jobs, func(a, b fleet.JobInfo) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), b.Updated.Compare(a.Updated), cmp.Compare(a.Job.ID, b.Job.ID))
	})
	return jobs[:min(len(jobs), shown)]
}

func rank(s fleet.State) int {
	return slices.Index([]fleet.State{fleet.StateRunning, fleet.StateDead, fleet.StateQueued, fleet.StateSucceeded}, s)
}

// countsOf returns the counts with those first that need a look.
func countsOf(c fleet.Counts) []dashboard.FleetCount {
	return []dashboard.FleetCount{{State: "working", Jobs: c.Working}, {State: "waiting", Jobs: c.Waiting},
		{State: "dead", Jobs: c.Dead}, {State: "on record", Jobs: c.Kept}}
}

// workersOf returns the workers that are alive, and those that are not and had a job when
// they were seen last.
func workersOf(alive []string, busy map[string]int) (workers []dashboard.FleetWorker) {
	for _, name := range alive {
		state := "idle"
		if busy[name] > 0 {
			state = "working"
		}
		workers = append(workers, dashboard.FleetWorker{Name: name, State: state, Jobs: busy[name]})
	}
	for name, n := range busy {
		if !slices.Contains(alive, name) {
			workers = append(workers, dashboard.FleetWorker{Name: name, State: "gone", Jobs: n})
		}
	}
	slices.SortFunc(workers, func(a, b dashboard.FleetWorker) int { return cmp.Compare(a.Name, b.Name) })
	return workers
}

func jobOf(i *fleet.JobInfo) dashboard.FleetJob {
	return dashboard.FleetJob{
		ID: i.Job.ID, State: string(i.State), Worker: i.Worker, Object: i.Job.Bucket + "/" + i.Job.Object,
		Attempts: i.Attempts, Takeovers: i.Takeovers, Size: i.Size, Uploaded: i.Uploaded, Error: i.Error,
	}
}
