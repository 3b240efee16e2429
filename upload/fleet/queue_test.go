package fleet_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
)

func TestEnqueueKeepsAllOfTheJob(t *testing.T) {
	q := newQueue(t)
	crc := uint64(1<<64 - 1)
	job := fleet.Job{
		ID: "order-1", Source: "https://origin/talk.mp4?v=2", SourceName: "talk", Endpoint: "http://oss", Bucket: "media", Object: "in/ü 影片.mp4",
		Options:  &upload.ObjectOptions{ACL: "private", Tags: map[string]string{"a": "b"}, Callback: &upload.Callback{URLs: []string{"https://app/done"}}},
		Info:     &upload.Info{Title: "a talk", Tags: []string{"x"}},
		IfExists: upload.SkipSame, CRC64: &crc, NotBefore: time.Now().Add(time.Hour).UTC().Round(0),
		Trace: map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
	}
	id, err := q.Enqueue(t.Context(), job)
	if err != nil || id != "order-1" {
		t.Fatalf("got ID %q, %v", id, err)
	}
	got, err := q.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Job, job) {
		t.Errorf("got  %+v\nwant %+v", got.Job, job)
	}
	if got.State != fleet.StateQueued || got.Queue != "main" || got.Enqueued.IsZero() || !got.NotBefore.Equal(job.NotBefore) {
		t.Errorf("got %+v, want it queued in main", got)
	}
	if c, err := q.Counts(t.Context()); err != nil || c != (fleet.Counts{Waiting: 1, Kept: 1}) {
		t.Errorf("got %+v, %v; want one that waits", c, err)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	q := newQueue(t)
	job := film("talk.mp4")
	job.ID = "first"
	if _, err := q.Enqueue(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	t.Run("the same ID", func(t *testing.T) {
		other := film("other.mp4")
		other.ID = "first"
		if _, err := q.Enqueue(t.Context(), other); !errors.Is(err, fleet.ErrJobExists) || !strings.Contains(err.Error(), "talk.mp4") {
			t.Errorf("got %v, want ErrJobExists that says what the job is", err)
		}
	})
	t.Run("the same upload, and names the first", func(t *testing.T) {
		again := film("talk.mp4")
		again.ID = "second"
		if _, err := q.Enqueue(t.Context(), again); !errors.Is(err, fleet.ErrPending) || !strings.Contains(err.Error(), "first") {
			t.Errorf("got %v, want ErrPending that names the first", err)
		}
		if _, err := q.Get(t.Context(), "second"); !errors.Is(err, fleet.ErrJobNotExist) {
			t.Errorf("the second job is still there: %v", err)
		}
	})
	t.Run("the same upload under a URL that was signed anew", func(t *testing.T) {
		signed := film("x.mp4")
		signed.Source = "https://origin/x.mp4?Expires=1&Signature=secret1"
		if _, err := q.Enqueue(t.Context(), signed); err != nil {
			t.Fatal(err)
		}
		signed.Source = "https://origin/x.mp4?Expires=2&Signature=secret2"
		if _, err := q.Enqueue(t.Context(), signed); !errors.Is(err, fleet.ErrPending) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want ErrPending without the signature", err)
		}
	})
	t.Run("but neither another source nor another destination", func(t *testing.T) {
		for _, change := range []func(*fleet.Job){
			func(j *fleet.Job) { j.Source += "x" },
			func(j *fleet.Job) { j.Object += "x" },
			func(j *fleet.Job) { j.Bucket += "x" },
			func(j *fleet.Job) { j.Endpoint = "oss-cn-beijing.aliyuncs.com" },
			func(j *fleet.Job) { j.Bucket, j.Object = "med", "iain/talk.mp4" },
		} {
			other := film("talk.mp4")
			change(&other)
			if _, err := q.Enqueue(t.Context(), other); err != nil {
				t.Error(err)
			}
		}
	})
}

// An Enqueue that got no answer is repeated with the same ID: what it has left out is done
// then.
func TestEnqueueAgainRings(t *testing.T) {
	p := newPlant(t)
	job := p.film("talk.mp4", 1000)
	p.enqueue(job)
	if err := p.bells().Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := p.Enqueue(t.Context(), job); !errors.Is(err, fleet.ErrJobExists) {
			t.Errorf("got %v, want ErrJobExists", err)
		}
		if c, err := p.Counts(t.Context()); err != nil || c != (fleet.Counts{Waiting: 1, Kept: 1}) {
			t.Errorf("got %+v, %v; want one that waits", c, err)
		}
	}
}

func TestJobsThatDoNotExist(t *testing.T) {
	q := newQueue(t)
	for _, id := range []string{"none", "", "*", "a.b", ">"} {
		if _, err := q.Get(t.Context(), id); !errors.Is(err, fleet.ErrJobNotExist) {
			t.Errorf("Get(%q): got %v", id, err)
		}
		if _, err := q.Wait(t.Context(), id); !errors.Is(err, fleet.ErrJobNotExist) {
			t.Errorf("Wait(%q): got %v", id, err)
		}
		if err := q.Requeue(t.Context(), id); !errors.Is(err, fleet.ErrJobNotExist) {
			t.Errorf("Requeue(%q): got %v", id, err)
		}
		if err := q.Delete(t.Context(), id); !errors.Is(err, fleet.ErrJobNotExist) {
			t.Errorf("Delete(%q): got %v", id, err)
		}
	}
}

func TestCallsOfAWrongState(t *testing.T) {
	q := newQueue(t)
	id, err := q.Enqueue(t.Context(), film("talk.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Requeue(t.Context(), id); !errors.Is(err, fleet.ErrJobState) {
		t.Errorf("Requeue of a job that waits: got %v", err)
	}
	if err := q.Delete(t.Context(), id); !errors.Is(err, fleet.ErrJobState) {
		t.Errorf("Delete of a job that waits: got %v", err)
	}
}

func TestJobsListsAll(t *testing.T) {
	q := newQueue(t)
	for range q.Jobs(t.Context()) {
		t.Error("there is a job before any was enqueued")
	}
	want := make(map[string]int)
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		id, err := q.Enqueue(t.Context(), film(name))
		if err != nil {
			t.Fatal(err)
		}
		want[id] = 1
	}
	got := make(map[string]int)
	for info, err := range q.Jobs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got[info.Job.ID]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	q := newQueue(t)
	id, err := q.Enqueue(t.Context(), film("talk.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	reason := errors.New("seen enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var states []fleet.State
	for info, err := range q.Watch(ctx, id) {
		if err != nil {
			if !errors.Is(err, reason) {
				t.Errorf("got %v, want the cause of the context", err)
			}
			break
		}
		states = append(states, info.State)
		cancel(reason)
	}
	if len(states) != 1 || states[0] != fleet.StateQueued {
		t.Errorf("got %v, want the state that the job has", states)
	}
}

// TestWatchEndsWhileTheServersAreAway: nothing is waited for then but the context.
func TestWatchEndsWhileTheServersAreAway(t *testing.T) {
	t.Parallel() // it waits most of the time
	engine, err := embedded.Run(&embedded.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	nc, err := nats.Connect(engine.URL(), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	q, err := fleet.NewQueue(t.Context(), nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := q.Enqueue(t.Context(), film("talk.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range q.Watch(ctx, id) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the end of the context", err)
			}
			break
		}
		if err := engine.Close(); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, cancel) // the subscription misses its heartbeats after 4 s
	}
	if ctx.Err() == nil {
		t.Error("it ended before its context")
	}
}

func TestQueueOptionsAreChecked(t *testing.T) {
	nc := connect(t)
	for name, o := range map[string]fleet.QueueOptions{
		"a namespace of two tokens": {Namespace: "a.b"},
		"a queue of all":            {Namespace: namespace(t), Name: "*"},
		"too many replicas":         {Namespace: namespace(t), Replicas: 6},
	} {
		if _, err := fleet.NewQueue(t.Context(), nc, &o); !errors.Is(err, fleet.ErrInvalidArgument) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := fleet.NewQueue(t.Context(), nil, nil); !errors.Is(err, fleet.ErrMissingArgument) {
		t.Errorf("no connection: got %v", err)
	}
}

func TestMoreReplicasThanServers(t *testing.T) {
	_, err := fleet.NewQueue(t.Context(), connect(t), &fleet.QueueOptions{Namespace: namespace(t), Replicas: 3})
	wantError(t, err, nil, "3 replicas")
	wantFactsOnce(t, err)
}
