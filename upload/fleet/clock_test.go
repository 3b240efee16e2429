package fleet_test

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A job that was put off for a moment by a worker whose clock is ahead is not put off by
// minutes for one whose clock is behind.
func TestClocksOfWorkersDiffer(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 1000)
	p.oss.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Always()) // until it was seen
	p.enqueue(job)
	off := func(name string, by time.Duration) *running {
		w, book := p.newWorker(name, func(o *fleet.WorkerOptions) { o.MaxAttempts = 1e6 })
		fleet.SetClock(w, func() time.Time { return time.Now().Add(by) })
		return p.run(name, w, book)
	}
	ahead := off("ahead", 10*time.Minute)
	await(t, "an attempt has failed", func() bool { return p.get(job.ID).Error != "" })
	ahead.stop()
	p.oss.ClearFaults()
	if info := p.get(job.ID); info.State == fleet.StateQueued && time.Until(info.NotBefore) > time.Minute {
		t.Errorf("the job is put off by %v", time.Until(info.NotBefore))
	}
	off("behind", -10*time.Minute)
	info := p.wait(job.ID)
	if info.State != fleet.StateSucceeded || time.Until(info.Ended).Abs() > time.Minute {
		t.Errorf("got %+v, want it to have ended by now", info)
	}
}
