package fleet_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/osstest"
)

var away = flag.Duration("away", 5*time.Second, "how long nodes are away in TestThreeNodesFail; two of them for the lease of 30 s at least")

// crewLease is that of the workers of a crew: above three elections, as it should be.
const crewLease = 30 * time.Second

// A crew is whole workers, each a process of its own, that upload films while something
// happens to the nodes of their engine.
type crew struct {
	*plant
	nodes *fleettest.Cluster
	jobs  []fleet.Job
	parts int // of all jobs
}

const crewFilms = 24 // that are there from the beginning: more than the workers send at a time

// crewParts are the parts that films have: one that takes a moment, and others that are
// under way all the while.
var crewParts = []int{2, 8, 60}

func (c *crew) job(i int) (j fleet.Job, parts int) {
	parts = crewParts[i%len(crewParts)]
	return fleet.Job{
		ID: fmt.Sprint("film", i), Source: fmt.Sprintf("file://%s/%d.mp4", c.folder, parts), Endpoint: c.oss.URL, Bucket: "media", Object: fmt.Sprint("film", i),
	}, parts
}

// newCrew starts three workers. They reach the nodes by the URLs that urls returns; nil: by
// the nodes' own.
func newCrew(t *testing.T, nodes *fleettest.Cluster, urls func(worker int) string) *crew {
	t.Helper()
	c := &crew{plant: newPlantOn(t, nodes.URLs()), nodes: nodes}
	for _, parts := range crewParts {
		c.film(fmt.Sprint(parts, ".mp4"), parts*100<<10)
	}
	c.oss.Inject(osstest.Delay(osstest.OpUploadPart, 2*time.Second).Always())
	logs := t.TempDir()
	for i := range 3 {
		key := osstest.DefaultKey
		key.AccessKeyID = fmt.Sprint("worker", i)
		c.oss.AddKey(key)
		w := child{
			AccessKeyID: key.AccessKeyID,
			NATS:        c.nats, Namespace: namespace(t), Name: fmt.Sprint("worker", i), Folder: c.folder,
			Lease: crewLease, Parallel: 8, Log: filepath.Join(logs, fmt.Sprint("worker", i, ".log")),
		}
		if urls != nil {
			w.NATS = urls(i)
		}
		w.start(t)
		t.Cleanup(func() {
			if log, err := os.ReadFile(w.Log); err == nil && t.Failed() {
				t.Logf("%s", log)
			}
		})
	}
	await(t, "the workers are there", func() bool {
		all, err := c.Workers(t.Context())
		return err == nil && len(all) == 3
	})
	return c
}

// during has the workers under load while fn runs, and waits for all that was enqueued.
func (c *crew) during(fn func()) []fleet.JobInfo {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	var enqueuing sync.WaitGroup
	enqueuing.Go(func() {
		for ctx.Err() == nil {
			job, parts := c.job(len(c.jobs))
			for { // it may be stored although the answer was lost
				_, err := c.Enqueue(c.t.Context(), job)
				if err == nil || errors.Is(err, fleet.ErrJobExists) {
					break
				}
				if c.t.Context().Err() != nil {
					return
				}
			}
			c.jobs, c.parts = append(c.jobs, job), c.parts+parts
			if len(c.jobs) > crewFilms {
				time.Sleep(500 * time.Millisecond)
			}
		}
	})
	await(c.t, "films are under way", func() bool { return c.oss.InFlight(osstest.OpUploadPart) >= 20 })
	fn()
	over := time.Now()
	c.oss.ClearFaults() // what is left need not take long
	cancel()
	enqueuing.Wait()
	infos := make([]fleet.JobInfo, len(c.jobs))
	for i, j := range c.jobs {
		infos[i] = c.waitFor(j.ID, 3*time.Minute)
		if infos[i].State != fleet.StateSucceeded {
			c.t.Errorf("%s: got %+v", j.ID, infos[i])
		}
		c.checkObject(j)
	}
	c.empty()
	await(c.t, "no checkpoint is left", func() bool { return c.records() == 0 })
	c.t.Logf("%d films; the last one ended %v after it was over, at most %v had none that began", len(infos), ended(infos).Sub(over).Round(time.Millisecond), standstill(infos).Round(time.Millisecond))
	if left := c.oss.Uploads("media"); len(left) > 0 {
		c.t.Errorf("%d uploads are left at the server: %+v", len(left), left)
	}
	return infos
}

// once checks that each object was completed once, by one upload.
func (c *crew) once() {
	c.t.Helper()
	completed := make(map[string]int)
	for _, r := range c.oss.Requests(osstest.OpCompleteMultipartUpload) {
		if r.Status == 200 {
			completed[r.Key]++
		}
	}
	for _, j := range c.jobs {
		if completed[j.Object] != 1 {
			c.t.Errorf("%s was completed %d times, want once", j.Object, completed[j.Object])
		}
	}
}

// undisturbed checks that no claim was lost, and that no attempt has failed.
func (c *crew) undisturbed(infos []fleet.JobInfo) {
	c.t.Helper()
	for _, info := range infos {
		if info.Attempts != 1 || info.Takeovers != 0 || info.Result.ResumedParts != 0 {
			c.t.Errorf("%s: %d attempts, %d takeovers, %d parts resumed; want one attempt that nothing has disturbed", info.Job.ID, info.Attempts, info.Takeovers, info.Result.ResumedParts)
		}
	}
	if n, want := c.oss.Count(osstest.OpInitiateMultipartUpload), len(c.jobs); n != want {
		c.t.Errorf("%d uploads were made for %d films", n, want)
	}
	if n, want := c.oss.Count(osstest.OpUploadPart), c.parts; n != want {
		c.t.Errorf("%d parts were sent, the films have %d", n, want)
	}
}

// standstill returns the longest time in which no attempt began.
func standstill(infos []fleet.JobInfo) (most time.Duration) {
	var begun []time.Time
	for _, info := range infos {
		begun = append(begun, info.Started)
	}
	slices.SortFunc(begun, time.Time.Compare)
	for i := range begun[1:] {
		most = max(most, begun[i+1].Sub(begun[i]))
	}
	return most
}

func ended(infos []fleet.JobInfo) (last time.Time) {
	for _, info := range infos {
		if info.Ended.After(last) {
			last = info.Ended
		}
	}
	return last
}

// A server that stops answering, and keeps its connections, is left for another: a call of a
// queue finds that out by itself, and so does a worker that has nothing to do.
func TestClusterNodeThatStopsAnswering(t *testing.T) {
	if !*long {
		t.Skip("it takes the seconds that a server may take to answer: -args -long")
	}
	nodes := fleettest.Start(t, 1)
	proxy := nodes.Proxy()
	p := newPlantOn(t, nodes.URLs())
	far, err := dial(proxy.URLs()+","+nodes.URLs(), nats.DontRandomize(), nats.IgnoreDiscoveredServers())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	q, err := fleet.NewQueue(t.Context(), far, &fleet.QueueOptions{Namespace: namespace(t)})
	if err != nil {
		t.Fatal(err)
	}
	p.nats = proxy.URLs() + "," + nodes.URLs()
	w, book := p.newWorker("idle", func(o *fleet.WorkerOptions) { o.SyncAlways = true })
	p.run("idle", w, book)
	await(t, "the worker is there", func() bool { n, err := p.Workers(t.Context()); return err == nil && len(n) == 1 })
	proxy.Partition()
	job := p.film("talk.mp4", 1000)
	if _, err := q.Enqueue(t.Context(), job); err != nil {
		t.Error(err)
	}
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded {
		t.Errorf("got %+v", info)
	}
}

// The node that leads a stream is cut off from the others, not from the workers, for longer
// than a lease: those that talk to it are on the side of the few.
func TestDividedNodes(t *testing.T) {
	if !*long {
		t.Skip("it takes minutes: -args -long")
	}
	nodes := fleettest.StartDivisible(t, 3)
	for _, stream := range []string{"VU_", "VUJ_", "VUQ_"} {
		t.Run("the one that leads "+stream+" is alone: no claim has two holders, all are uploaded once", func(t *testing.T) {
			// Each worker begins at another node, and may go to all.
			c := newCrew(t, nodes, func(worker int) string {
				return strings.Join([]string{nodes.URL(worker), nodes.URL((worker + 1) % 3), nodes.URL((worker + 2) % 3)}, ",")
			})
			infos := c.during(func() {
				alone := nodes.Leader(stream + namespace(t))
				nodes.Isolate(alone)
				time.Sleep(max(*away, crewLease+10*time.Second))
				nodes.Heal()
				nodes.Ready()
			})
			c.once()
			c.oneHolder()
			takeovers, attempts := 0, 0
			for _, info := range infos {
				takeovers += info.Takeovers
				attempts += info.Attempts
			}
			t.Logf("%d attempts at %d films, %d takeovers", attempts, len(infos), takeovers)
		})
	}
}

// oneHolder checks that no two workers changed an upload at the same time. Those of a crew
// have each their own access key.
func (c *crew) oneHolder() {
	c.t.Helper()
	last := make(map[string]osstest.Request) // of each object: the call that ended last, so far
	for _, r := range c.oss.Requests() {     // in the order in which they came
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			continue
		}
		before, ok := last[r.Key]
		if ok && before.AccessKeyID != r.AccessKeyID && r.Start.Before(before.Start.Add(before.Duration)) {
			c.t.Errorf("two workers at the same time: %v by %s, for %v, and %v by %s, %v later", before, before.AccessKeyID, before.Duration, r, r.AccessKeyID, r.Start.Sub(before.Start))
		}
		if !ok || r.Start.Add(r.Duration).After(before.Start.Add(before.Duration)) {
			last[r.Key] = r
		}
	}
}

// TestThreeNodesFail has nodes fail under the load of whole workers.
func TestThreeNodesFail(t *testing.T) {
	if !*long {
		t.Skip("it takes minutes: -args -long")
	}
	nodes := fleettest.Start(t, 3)
	// leader is a node that leads one of the streams.
	leader := func(c *crew) int {
		ns := namespace(c.t)
		streams := []string{"VU_" + ns, "VUJ_" + ns, "VUQ_" + ns}
		i := rand.IntN(len(streams))
		n := nodes.Leader(streams[i])
		c.t.Logf("node %d leads %s", n, streams[i])
		return n
	}
	for _, fault := range []struct {
		name       string
		fail, heal func(node int)
	}{{"killed", nodes.Kill, nodes.Restart}, {"stopped", nodes.Stop, nodes.Continue}} {
		t.Run("one is "+fault.name+": no claim is lost, no upload fails", func(t *testing.T) {
			if runtime.GOOS == "windows" && fault.name == "stopped" {
				t.Skip("processes cannot be stopped on Windows")
			}
			c := newCrew(t, nodes, nil)
			infos := c.during(func() {
				victim := leader(c)
				fault.fail(victim)
				time.Sleep(*away)
				fault.heal(victim)
				nodes.Ready()
			})
			c.undisturbed(infos)
			c.once()
		})
	}
	t.Run("a worker is cut off from all: another resumes what it had", func(t *testing.T) {
		proxy := nodes.Proxy()
		c := newCrew(t, nodes, func(worker int) string {
			if worker == 0 {
				return proxy.URLs()
			}
			return nodes.URLs()
		})
		var had int
		infos := c.during(func() {
			await(t, "the worker has films", func() bool {
				had = 0
				for info := range c.Jobs(t.Context()) {
					if info.State == fleet.StateRunning && info.Worker == "worker0" {
						had++
					}
				}
				return had > 0
			})
			proxy.Partition()
			time.Sleep(max(*away, crewLease+5*time.Second))
			proxy.Heal()
		})
		c.once()
		takeovers := 0
		for _, info := range infos {
			takeovers += info.Takeovers
		}
		if takeovers == 0 {
			t.Errorf("no film was taken over, of %d that the worker had", had)
		}
	})
	t.Run("two of three are gone: holders stop, and all are resumed afterwards", func(t *testing.T) {
		c := newCrew(t, nodes, nil)
		var gone, back time.Time
		infos := c.during(func() {
			nodes.Kill(0)
			nodes.Kill(1)
			gone = time.Now()
			time.Sleep(max(*away, crewLease))
			nodes.Restart(0)
			nodes.Restart(1)
			back = time.Now()
			nodes.Ready()
		})
		c.once()
		last := gone
		for _, r := range c.oss.Requests() {
			if r.Method != "GET" && r.Method != "HEAD" && r.Start.Before(back) {
				last = r.Start
			}
		}
		if last.Sub(gone) > crewLease {
			t.Errorf("a request was made %v after the nodes had gone, the leases are for %v", last.Sub(gone), crewLease)
		}
		t.Logf("%d films; the nodes were away for %v, the last request came after %v", len(infos), back.Sub(gone), last.Sub(gone))
	})
}
