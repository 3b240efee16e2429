package fleetpage

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/dashboard"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
)

func TestPageOfAFleet(t *testing.T) {
	engine, err := embedded.Run(&embedded.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	nc, err := engine.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	queue, err := fleet.NewQueue(t.Context(), nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := Of(queue)
	if f, err := ask(t.Context()); err != nil || len(f.Jobs)+len(f.Workers) != 0 {
		t.Errorf("of an empty queue: %+v, %v", f, err)
	}
	for i := range 3 {
		_, err := queue.Enqueue(t.Context(), fleet.Job{
			ID: fmt.Sprint("job", i), Source: fmt.Sprint("file:///films/", i), Endpoint: "oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: fmt.Sprint("in/", i),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := Of(queue)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts := []dashboard.FleetCount{{State: "working"}, {State: "waiting", Jobs: 3}, {State: "dead"}, {State: "on record", Jobs: 3}}
	if !reflect.DeepEqual(f.Counts, counts) || len(f.Jobs) != 3 || f.Jobs[0].State != "queued" || f.Jobs[0].Object != "media/in/2" && len(f.Jobs[0].Object) != len("media/in/2") {
		t.Errorf("got %+v", f)
	}
}

func TestJobsThatAreShown(t *testing.T) {
	now := time.Unix(1e9, 0)
	var jobs []fleet.JobInfo
	for i := range 500 {
		jobs = append(jobs, fleet.JobInfo{Job: fleet.Job{ID: fmt.Sprint(i)}, State: fleet.StateSucceeded, Updated: now})
	}
	jobs = append(jobs,
		fleet.JobInfo{Job: fleet.Job{ID: "queued"}, State: fleet.StateQueued, Updated: now.Add(time.Hour)},
		fleet.JobInfo{Job: fleet.Job{ID: "dead"}, State: fleet.StateDead, Updated: now},
		fleet.JobInfo{Job: fleet.Job{ID: "running"}, State: fleet.StateRunning, Updated: now},
		fleet.JobInfo{Job: fleet.Job{ID: "just now"}, State: fleet.StateRunning, Updated: now.Add(time.Minute)},
	)
	got := first(jobs)
	var ids []string
	for _, j := range got[:4] {
		ids = append(ids, j.Job.ID)
	}
	if want := []string{"just now", "running", "dead", "queued"}; len(got) != shown || !reflect.DeepEqual(ids, want) {
		t.Errorf("%d are shown, %v first, want %v", len(got), ids, want)
	}
}

func TestWorkersThatAreShown(t *testing.T) {
	got := workersOf([]string{"a", "b"}, map[string]int{"b": 2, "c": 1})
	want := []dashboard.FleetWorker{{Name: "a", State: "idle"}, {Name: "b", State: "working", Jobs: 2}, {Name: "c", State: "gone", Jobs: 1}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
