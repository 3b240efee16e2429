package fleet_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// What Began returns for one attempt, the next one gets, with the context of its upload.
func TestBegan(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job, large := p.film("talk.mp4", 1000), p.film("large.mp4", 1000)
	job.Trace = map[string]string{"traceparent": "00-1-2-01"}
	p.oss.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied"))
	p.enqueue(job)
	type key struct{}
	var mu sync.Mutex
	var began []fleet.JobInfo
	p.worker("a", func(o *fleet.WorkerOptions) {
		o.Backoff, o.MaxBackoff = 10*time.Millisecond, 10*time.Millisecond
		o.Upload.Observer = &upload.Observer{FileStart: func(ctx context.Context, _ upload.FileInfo) context.Context {
			return context.WithValue(ctx, key{}, "observed")
		}}
		o.Began = func(ctx context.Context, info fleet.JobInfo) map[string]string {
			mu.Lock()
			defer mu.Unlock()
			if ctx.Value(key{}) != "observed" {
				t.Error("the context is not that of the upload")
			}
			if info.Job.ID == large.ID {
				return map[string]string{"traceparent": strings.Repeat("x", 5000)}
			}
			began = append(began, info)
			return map[string]string{"traceparent": "00-1-3-01"}
		}
	})
	info := p.wait(job.ID)
	p.enqueue(large)
	if got := p.wait(large.ID); got.State != fleet.StateSucceeded || got.Trace != nil {
		t.Errorf("got %+v, want it without what was too large", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(began) != 2 || info.State != fleet.StateSucceeded || info.Trace["traceparent"] != "00-1-3-01" {
		t.Fatalf("it began %d times, and got %+v", len(began), info)
	}
	if first := began[0]; first.Attempts != 0 || first.Trace != nil || first.Job.Trace["traceparent"] != "00-1-2-01" {
		t.Errorf("the first attempt got %+v", first)
	}
	if second := began[1]; second.Attempts != 1 || second.Trace["traceparent"] != "00-1-3-01" {
		t.Errorf("the second attempt got %+v", second)
	}
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.worker("b", nil)
	a := p.worker("a", nil)
	names := func() string {
		all, err := p.Workers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(all, " ")
	}
	await(t, "both workers are there", func() bool { return names() == "a b" })
	a.stop()
	if got := names(); got != "b" {
		t.Errorf("after one has left: %q", got)
	}
}
