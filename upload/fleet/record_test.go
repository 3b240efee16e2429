package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A worker whose state was taken by another must not write its result over it.
func TestWorkerThatLostItsJobWritesNothing(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 350<<10)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	p.oss.Inject(hold)
	p.enqueue(job)
	a := p.worker("a", nil)
	<-hold.Fired()
	await(t, "a has written that it runs", func() bool { return p.get(job.ID).State == fleet.StateRunning })
	subject := "vuq." + namespace(t) + ".j." + job.ID
	states, err := p.js.Stream(t.Context(), "VUJ_"+namespace(t))
	if err != nil {
		t.Fatal(err)
	}
	m, err := states.GetLastMsgForSubject(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	taken := bytes.ReplaceAll(m.Data, []byte(`"Worker":"a"`), []byte(`"Worker":"b"`))
	run := taken[bytes.Index(taken, []byte(`"Run":"`))+7:][:10]
	taken = bytes.ReplaceAll(taken, run, []byte("0123456789"))
	if _, err := p.js.Publish(t.Context(), subject, taken); err != nil {
		t.Fatal(err)
	}
	hold.Release()
	await(t, "a has given it up", func() bool { return strings.Contains(a.log.String(), "left to another worker") })
	a.stop()
	if info := p.get(job.ID); info.Worker != "b" || info.State != fleet.StateRunning {
		t.Errorf("got %+v, want b's state", info)
	}
}

// A witness is a store that reports in which state a job is when its record goes.
type witness struct {
	sharedStore
	removed func()
}

func (w witness) Open(ctx context.Context, key checkpoint.Key) (checkpoint.Claim, error) {
	claim, err := w.sharedStore.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	return witnessed{claim, w.removed}, nil
}

type witnessed struct {
	checkpoint.Claim
	removed func()
}

func (w witnessed) Remove() error {
	w.removed()
	return w.Claim.Remove()
}

// Until the result is written, a worker that takes over has to find the record: without
// it the whole file would be sent again.
func TestRecordGoesAfterTheResult(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 250<<10)
	states := make(chan fleet.State, 10)
	p.store = witness{sharedStore{checkpoint.NewMemory()}, func() {
		info, err := p.Get(context.Background(), job.ID)
		if err != nil {
			t.Error(err)
		}
		states <- info.State
	}}
	p.enqueue(job)
	a := p.worker("a", nil)
	p.wait(job.ID)
	a.stop()
	if got := <-states; got != fleet.StateSucceeded {
		t.Errorf("the record went while the job was %s", got)
	}
}

// A worker that is killed after it has written the result leaves its record to the next
// delivery.
func TestRecordOfAKilledWorkerGoesWithTheNextDelivery(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 250<<10)
	p.enqueue(job)
	memory := sharedStore{checkpoint.NewMemory()}
	var key checkpoint.Key
	p.store = witness{memory, func() {}}
	a := p.worker("a", nil)
	info := p.wait(job.ID)
	p.empty()
	a.stop()
	key = checkpoint.Key{Source: job.Source, Endpoint: info.Result.Endpoint, Bucket: "media", Object: job.Object}
	claim, err := memory.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	rec := checkpoint.Record{Key: key, UploadID: info.UploadID, PartSize: 100 << 10, Started: time.Now(), Source: checkpoint.Source{Size: info.Size}}
	if err := errors.Join(claim.Begin(t.Context(), rec), claim.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.js.Publish(t.Context(), bellSubject(t, p, job), []byte(job.ID)); err != nil {
		t.Fatal(err)
	}
	p.worker("b", nil)
	p.empty()
	if left, err := memory.List(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("%+v is left, %v", left, err)
	}
}

// An upload that was made at the server for a worker that got no answer is aborted by the
// worker that uploads the file.
func TestLostInitiateIsAborted(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.store = sharedStore{checkpoint.NewMemory()}
	job := p.film("talk.mp4", 250<<10)
	lost := osstest.Hang(osstest.OpInitiateMultipartUpload).AfterWork()
	p.oss.Inject(lost)
	p.enqueue(job)
	a := p.worker("a", nil)
	<-lost.Fired()
	a.stop()
	lost.Release()
	if n := len(p.oss.Uploads("media")); n != 1 {
		t.Fatalf("%d uploads after the first worker, want the one that it does not know of", n)
	}
	p.worker("b", nil)
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded {
		t.Errorf("got %+v", info)
	}
	p.empty()
	p.checkObject(job)
	if left := p.oss.Uploads("media"); len(left) > 0 {
		t.Errorf("%+v is left", left)
	}
}
