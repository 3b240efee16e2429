package fleet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// The queue is a bell, and the states are the truth: messages that are lost, come twice, or
// in another order, at any moment of their jobs, are no attempts and no uploads.
func TestUnreliableBell(t *testing.T) {
	t.Parallel()
	const films, parts, blows = 10, 3, 60
	p := newPlant(t)
	p.oss.Inject(osstest.Delay(osstest.OpUploadPart, 20*time.Millisecond).Always())
	var jobs []fleet.Job
	for i := range films {
		jobs = append(jobs, p.film(fmt.Sprintf("film%d.mp4", i), parts*100<<10))
	}
	p.enqueue(jobs[:films/2]...)
	for _, name := range []string{"a", "b", "c"} {
		p.worker(name, func(o *fleet.WorkerOptions) {
			o.Files, o.ReconcileInterval = 4, 100*time.Millisecond
			o.Lease, o.AckWait = time.Minute, time.Minute // what comes again is the test's doing
		})
	}
	hit := &bellHitter{plant: p, rand: rand.New(rand.NewPCG(1, 2))}
	for n := range blows {
		if i := films/2 + n; i < films {
			p.enqueue(jobs[i])
		}
		hit.blow(jobs[hit.rand.IntN(min(films, films/2+n+1))])
	}
	for _, j := range jobs {
		if info := p.wait(j.ID); info.State != fleet.StateSucceeded || info.Attempts != 1 || info.Takeovers != 0 {
			t.Errorf("got %+v, want one attempt", info)
		}
		p.checkObject(j)
	}
	for op, want := range map[osstest.Op]int{
		osstest.OpInitiateMultipartUpload: films, osstest.OpUploadPart: films * parts, osstest.OpCompleteMultipartUpload: films,
	} {
		if n := p.oss.Count(op); n != want {
			t.Errorf("%d of %s, want %d", n, op, want)
		}
	}
	t.Logf("messages were lost %d times, came again %d times, and to nobody %d times", hit.lost, hit.again, hit.stolen)
	if hit.lost == 0 || hit.again == 0 {
		t.Error("nothing has happened to the messages")
	}
}

// A bellHitter does to the queue what it promises not to do.
type bellHitter struct {
	*plant
	rand                *rand.Rand
	lost, again, stolen int
}

// blow hits the message of a job, which a worker may have, or may have done with.
func (h *bellHitter) blow(job fleet.Job) {
	h.t.Helper()
	ctx, subject, s := h.t.Context(), bellSubject(h.t, h.plant, job), h.bells()
	kind := h.rand.IntN(5)
	if kind == 0 {
		h.steal(ctx, s)
		return
	}
	if m, err := s.GetLastMsgForSubject(ctx, subject); err == nil && s.DeleteMsg(ctx, m.Sequence) == nil {
		h.lost++
	}
	if kind > 1 { // behind all others, and again to workers that have it, or had
		if _, err := h.js.Publish(ctx, subject, []byte(job.ID)); err == nil {
			h.again++
		}
	}
}

// steal has a message delivered to somebody who gives it back.
func (h *bellHitter) steal(ctx context.Context, s jetstream.Stream) {
	c, err := s.Consumer(ctx, fleet.ConsumerName(h.Queue))
	if err != nil {
		return // no worker has made it yet
	}
	batch, err := c.FetchNoWait(1)
	if err != nil {
		return
	}
	for m := range batch.Messages() {
		if m.Nak() == nil {
			h.stolen++
		}
	}
}
