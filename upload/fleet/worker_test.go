package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestJobsAreUploaded(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	small, large, none := p.film("small.mp4", 10<<10), p.film("large.mp4", 350<<10), p.film("none.mp4", 0)
	p.enqueue(small, large, none)
	p.worker("a", patient)
	for _, j := range []fleet.Job{small, large, none} {
		info := p.wait(j.ID)
		p.checkObject(j)
		if info.State != fleet.StateSucceeded || info.Attempts != 1 || info.Takeovers != 0 || info.Worker != "a" || info.Error != "" ||
			info.Result == nil || !info.Result.Verified || info.Uploaded != info.Size || info.Size != info.Result.Size || info.Ended.IsZero() {
			t.Errorf("got %+v, want it succeeded at the first attempt of a", info)
		}
	}
	p.empty()
	await(t, "no checkpoint is left", func() bool { return p.records() == 0 })
	if c, err := p.Counts(t.Context()); err != nil || c != (fleet.Counts{Kept: 3, Workers: 1}) {
		t.Errorf("got %+v, %v; want three that have ended, and one worker", c, err)
	}
}

func TestResultsComeInOrderAndOnce(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	p.worker("a", func(o *fleet.WorkerOptions) { o.Files = 1 })
	var seen []string
	after := uint64(0)
	for _, names := range [][]string{{"one", "two"}, {"three"}} {
		for _, name := range names {
			p.enqueue(p.film(name, 100))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		n := 0
		for info, err := range p.Results(ctx, after) {
			if err != nil {
				t.Fatal(err)
			}
			after = info.Revision
			seen = append(seen, info.Job.ID)
			if n++; n == len(names) {
				break
			}
		}
		cancel()
	}
	if got := strings.Join(seen, " "); got != "one two three" {
		t.Errorf("got %q, want each job once", got)
	}
}

func TestSecondDeliveryOfAnEndedJob(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 250<<10)
	p.enqueue(job)
	p.worker("a", nil)
	first := p.wait(job.ID)
	p.empty()
	subject := bellSubject(t, p, job)
	if _, err := p.js.Publish(t.Context(), subject, []byte(job.ID)); err != nil {
		t.Fatal(err)
	}
	p.empty()
	if n := p.oss.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("the job was uploaded %d times, want once", n)
	}
	if again := p.get(job.ID); again.Revision != first.Revision {
		t.Errorf("the state has changed from %+v to %+v", first, again)
	}
}

func TestTwoDeliveriesAtTheSameTime(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 350<<10)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	p.oss.Inject(hold)
	p.enqueue(job)
	a := p.worker("a", patient)
	<-hold.Fired()
	b := p.worker("b", patient)
	// A zombie has acknowledged the message, and the reconciler has put in another.
	if err := p.bells().Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.js.Publish(t.Context(), bellSubject(t, p, job), []byte(job.ID)); err != nil {
		t.Fatal(err)
	}
	await(t, "the second delivery was put off", func() bool {
		c, err := p.Counts(t.Context())
		return err == nil && c.Waiting == 0 && c.Working == 1
	})
	hold.Release()
	info := p.wait(job.ID)
	p.empty()
	p.checkObject(job)
	if info.Attempts != 1 || info.State != fleet.StateSucceeded || info.Takeovers != 0 {
		t.Errorf("got %+v, want one attempt", info)
	}
	if n := p.oss.Count(osstest.OpCompleteMultipartUpload); n != 1 {
		t.Errorf("got %d Completes, want one", n)
	}
	for _, r := range []*running{a, b} {
		if log := r.log.String(); strings.Contains(log, "level=ERROR") {
			t.Errorf("an error was logged: %s", log)
		}
	}
}

func TestLostMessageComesBack(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	lost, later := p.film("lost.mp4", 250<<10), p.film("later.mp4", 100)
	p.enqueue(lost, later)
	if err := p.bells().Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := p.worker("a", func(o *fleet.WorkerOptions) { o.ReconcileInterval = 50 * time.Millisecond })
	for _, j := range []fleet.Job{lost, later} {
		if info := p.wait(j.ID); info.State != fleet.StateSucceeded || info.Attempts != 1 {
			t.Errorf("got %+v, want it succeeded at the first attempt", info)
		}
		p.checkObject(j)
	}
	p.empty()
	if !strings.Contains(a.log.String(), "lost") {
		t.Errorf("the log does not say that messages were lost: %s", a.log)
	}
}

// A worker that hangs has got a message and does nothing with it: without the reconciler
// it would be delivered again after a minute, or never, where the queue has forgotten it.
func TestStuckMessageIsRungAgain(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 250<<10)
	w, book := p.newWorker("a", func(o *fleet.WorkerOptions) {
		o.Lease, o.AckWait, o.ReconcileInterval = 10*time.Minute, 10*time.Minute, 50*time.Millisecond
	})
	p.enqueue(job)
	c, err := p.bells().Consumer(t.Context(), fleet.ConsumerName(p.Queue))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next(jetstream.FetchMaxWait(30 * time.Second)); err != nil { // and hangs
		t.Fatal(err)
	}
	fleet.StuckAfter(w, 100*time.Millisecond)
	p.run("a", w, book)
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Attempts != 1 {
		t.Errorf("got %+v, want it succeeded at the first attempt", info)
	}
	p.checkObject(job)
}

func TestPoisonJobIsDeadAndOthersAreNot(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	poison, good := p.film("poison.mp4", 100), p.film("good.mp4", 100)
	fault := osstest.Fail(osstest.OpPutObject, 500, "InternalError").Key(poison.Object).Always()
	p.oss.Inject(fault)
	p.enqueue(poison, good)
	p.worker("a", func(o *fleet.WorkerOptions) { o.MaxAttempts = 3; o.Upload.RetryCount = -1 })
	info := p.wait(poison.ID)
	if info.State != fleet.StateDead || info.Attempts != 3 || info.Code != "InternalError" || !strings.Contains(info.Error, "poison.mp4") {
		t.Errorf("got %+v, want it dead after 3 attempts", info)
	}
	if n := p.oss.Count(osstest.OpPutObject); n < 3 {
		t.Errorf("got %d PutObjects, want 3 of the poison", n)
	}
	if info := p.wait(good.ID); info.State != fleet.StateSucceeded || info.Attempts != 1 {
		t.Errorf("got %+v, want the other job to be untouched", info)
	}
	p.empty()
	var dead []string
	for info, err := range p.Dead(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		dead = append(dead, info.Job.ID)
	}
	if len(dead) != 1 || dead[0] != poison.ID {
		t.Errorf("the dead are %v", dead)
	}
	p.oss.ClearFaults()
	if err := p.Requeue(t.Context(), poison.ID); err != nil {
		t.Fatal(err)
	}
	if info := p.wait(poison.ID); info.State != fleet.StateSucceeded || info.Error != "" || info.Attempts != 4 {
		t.Errorf("got %+v, want it succeeded after Requeue", info)
	}
	p.checkObject(poison)
	for info := range p.Dead(t.Context()) {
		t.Errorf("still dead: %+v", info)
	}
	if err := p.Delete(t.Context(), poison.ID); err != nil {
		t.Error(err)
	}
	if _, err := p.Get(t.Context(), poison.ID); !errors.Is(err, fleet.ErrJobNotExist) {
		t.Errorf("after Delete: %v", err)
	}
}

func TestPermanentErrorsAreDeadAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	nobucket, exists, digest := p.film("nobucket.mp4", 100), p.film("exists.mp4", 100), p.film("digest.mp4", 100)
	nobucket.Bucket = "nothere"
	exists.IfExists = upload.Fail
	digest.CRC64 = new(uint64)
	first := exists
	first.ID, first.IfExists = "first", upload.Overwrite
	a := p.worker("a", nil)
	p.enqueue(first)
	p.wait("first")
	p.empty()
	p.enqueue(nobucket, exists, digest)
	for id, text := range map[string]string{nobucket.ID: "NoSuchBucket", exists.ID: "exists", digest.ID: "CRC64"} {
		info := p.wait(id)
		if info.State != fleet.StateDead || info.Attempts != 1 || !strings.Contains(info.Error, text) || strings.Contains(info.Error, "\n") {
			t.Errorf("%s: got %+v, want it dead after one attempt, with %q", id, info, text)
		}
	}
	a.stop()
}

// An error may have any length: the state that has it is written all the same.
func TestErrorsOfAnyLength(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 100)
	p.worker("a", func(o *fleet.WorkerOptions) {
		o.MaxAttempts = 2
		o.Openers["file"] = func(context.Context, fleet.Job) (upload.File, error) {
			return upload.File{}, errors.New("the archive says:\n" + strings.Repeat("é\xff", 1<<19))
		}
	})
	p.enqueue(job)
	info := p.wait(job.ID)
	if info.State != fleet.StateDead || info.Attempts != 2 || !strings.HasPrefix(info.Error, "a: ") || !strings.Contains(info.Error, "the archive says: é?é?") || len(info.Error) > 5<<10 {
		t.Errorf("got %s after %d attempts, with an error of %d bytes: %.100s", info.State, info.Attempts, len(info.Error), info.Error)
	}
}

func TestNotBefore(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 100)
	job.NotBefore = time.Now().Add(500 * time.Millisecond)
	p.worker("a", nil)
	p.enqueue(job)
	if info := p.wait(job.ID); info.Started.Before(job.NotBefore) || info.Attempts != 1 {
		t.Errorf("got %+v, want it to begin at %v", info, job.NotBefore)
	}
}

// A twoParts is the connection of a worker that gets no further than two parts.
type twoParts struct {
	*http.Transport
	sent atomic.Int32
	full chan struct{} // closed when there is a third
	once sync.Once
}

func (c *twoParts) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodPut || !req.URL.Query().Has("uploadId") || c.sent.Add(1) <= 2 {
		return c.Transport.RoundTrip(req)
	}
	c.once.Do(func() { close(c.full) })
	_ = req.Body.Close()
	<-req.Context().Done()
	return nil, context.Cause(req.Context())
}

func TestDrain(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job, small := p.film("talk.mp4", 450<<10), p.film("small.mp4", 100)
	holdSmall := osstest.Hang(osstest.OpPutObject).Always()
	p.oss.Inject(holdSmall)
	p.enqueue(job, small)
	connection := &twoParts{Transport: &http.Transport{}, full: make(chan struct{})}
	defer connection.CloseIdleConnections()
	a := p.worker("a", func(o *fleet.WorkerOptions) {
		o.Lease, o.AckWait, o.Upload.HTTPClient = time.Minute, time.Minute, &http.Client{Transport: connection}
	})
	<-connection.full
	<-holdSmall.Fired()
	await(t, "two parts are there", func() bool {
		up := p.oss.Uploads("media")
		return len(up) == 1 && len(up[0].Parts) == 2
	})
	before := p.get(job.ID)
	start := time.Now()
	a.stop()
	if info := p.get(job.ID); info.State != fleet.StateQueued || info.Attempts != 0 || info.Error != "" {
		t.Errorf("after the drain: got %+v, want it in the queue as before", info)
	}
	p.oss.ClearFaults()
	b := p.worker("b", patient)
	info := p.wait(job.ID)
	// Waiting for AckWait or a lease would take a minute.
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("the takeover took %v", took)
	}
	if info.State != fleet.StateSucceeded || info.Worker != "b" || info.Attempts != 1 || info.Takeovers != 0 || info.Result.ResumedParts != 2 {
		t.Errorf("got %+v, %+v; want b to have resumed 2 parts", info, info.Result)
	}
	if before.UploadID != "" && info.UploadID != "" && before.UploadID != info.UploadID {
		t.Errorf("got upload %s, want that of a, %s", info.UploadID, before.UploadID)
	}
	if n := p.oss.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("got %d uploads in parts, want one", n)
	}
	if info := p.wait(small.ID); info.State != fleet.StateSucceeded || info.Attempts != 1 {
		t.Errorf("got %+v, want the small one succeeded as well", info)
	}
	p.checkObject(job)
	b.stop()
	if c, err := p.Counts(t.Context()); err != nil || c.Workers != 0 {
		t.Errorf("got %+v, %v; want no worker to be left", c, err)
	}
}

// A job whose file Prepare has sent elsewhere is running all the same, for others to see.
func TestPrepareMayChangeTheNames(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 1000)
	hang := osstest.Hang(osstest.OpPutObject)
	p.oss.Inject(hang)
	p.enqueue(job)
	p.worker("a", func(o *fleet.WorkerOptions) {
		o.Prepare = func(_ context.Context, j fleet.Job, f *upload.File) error {
			f.SourceName, f.Object = "customer 7: "+f.SourceName, "customer-7/"+f.Object
			return nil
		}
	})
	<-hang.Fired()
	if info := p.get(job.ID); info.State != fleet.StateRunning || info.Worker != "a" {
		t.Errorf("got %+v, want it running at a", info)
	}
	hang.Release()
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Result.Object != "customer-7/in/talk.mp4" {
		t.Errorf("got %+v", info)
	}
}

func TestPrepareAndTrace(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job, refused := p.film("talk.mp4", 100), p.film("refused.mp4", 100)
	job.Trace = map[string]string{"traceparent": "00-1-2-01"}
	p.enqueue(job, refused)
	p.worker("a", func(o *fleet.WorkerOptions) {
		o.Prepare = func(_ context.Context, j fleet.Job, f *upload.File) error {
			if j.ID == "refused" {
				return errors.Join(fleet.ErrInvalidArgument, errors.New("no customer of that name"))
			}
			f.Options = &upload.ObjectOptions{Metadata: map[string]string{"trace": j.Trace["traceparent"]}}
			return nil
		}
	})
	if info := p.wait(job.ID); info.Job.Trace["traceparent"] != "00-1-2-01" {
		t.Errorf("got %+v, want the trace", info)
	}
	if o, _ := p.oss.Object("media", job.Object); o.Header.Get("X-Oss-Meta-Trace") != "00-1-2-01" {
		t.Errorf("the object has %v, want what Prepare has set", o.Header)
	}
	if info := p.wait(refused.ID); info.State != fleet.StateDead || !strings.Contains(info.Error, "no customer") {
		t.Errorf("got %+v, want it dead", info)
	}
}

func TestWorkerOptionsAreChecked(t *testing.T) {
	t.Parallel()
	files, err := fleet.Files(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	nc := connect(t)
	for name, tt := range map[string]struct {
		change func(*fleet.WorkerOptions)
		text   string
	}{
		"no openers":             {func(o *fleet.WorkerOptions) { o.Openers = nil }, "Openers"},
		"AckWait above Lease":    {func(o *fleet.WorkerOptions) { o.AckWait = 2 * time.Minute }, "AckWait 2m0s and Lease 30s"},
		"a short lease":          {func(o *fleet.WorkerOptions) { o.Lease = time.Millisecond }, "Lease"},
		"files":                  {func(o *fleet.WorkerOptions) { o.Files = 1000 }, "Files"},
		"attempts":               {func(o *fleet.WorkerOptions) { o.MaxAttempts = -1 }, "MaxAttempts"},
		"two budgets":            {func(o *fleet.WorkerOptions) { o.FleetParallel, o.Upload.Parallel = 5, 5 }, "FleetParallel 5 and Upload.Parallel 5"},
		"two bandwidths":         {func(o *fleet.WorkerOptions) { o.FleetBandwidthLimit, o.Upload.BandwidthLimit = 1e6, 1e6 }, "FleetBandwidthLimit"},
		"a backoff that falls":   {func(o *fleet.WorkerOptions) { o.Backoff, o.MaxBackoff = time.Minute, time.Second }, "MaxBackoff"},
		"a directory":            {func(o *fleet.WorkerOptions) { o.Upload.CheckpointDir = "/tmp" }, "CheckpointDir"},
		"a store of one machine": {func(o *fleet.WorkerOptions) { o.Upload.Checkpoints = checkpoint.NewMemory() }, "share"},
		"the client's":           {func(o *fleet.WorkerOptions) { o.Upload.PartSize = 1 }, "PartSize"},
		"a long name":            {func(o *fleet.WorkerOptions) { o.Name = strings.Repeat("n", 257) }, "Name: got 257 bytes"},
		"the queue":              {func(o *fleet.WorkerOptions) { o.Queue = "a b" }, "Name"},
	} {
		t.Run(name, func(t *testing.T) {
			o := &fleet.WorkerOptions{Namespace: "options", Openers: map[string]fleet.Opener{"file": files}}
			o.Upload.Checkpoints = sharedStore{checkpoint.NewMemory()}
			tt.change(o)
			_, err := fleet.NewWorker(t.Context(), nc, o)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want an error that says %q", err, tt.text)
			}
		})
	}
}

// Where nobody says that the servers sync, a worker without a Logger warns all the same.
func TestWorkerWarnsOfServersThatMayNotSync(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	nc := dialed(t, serve(t, &server.Options{JetStream: true}))
	files, err := fleet.Files(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, always := range []bool{false, true} {
		log.Reset()
		w, err := fleet.NewWorker(t.Context(), nc, &fleet.WorkerOptions{SyncAlways: always, Openers: map[string]fleet.Opener{"file": files}})
		if err != nil {
			t.Fatal(err)
		}
		if warned := strings.Contains(log.String(), "sync_interval: always"); warned == always {
			t.Errorf("SyncAlways %t: logged %q", always, &log)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.Run(ctx); err != nil { // releases what it has
			t.Error(err)
		}
	}
}

// TestWorkerKeepsItsConsumer where it cannot make it again: the servers may be away.
func TestWorkerKeepsItsConsumer(t *testing.T) {
	p := newPlant(t)
	w, book := p.newWorker("one", nil)
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fleet.Consume(away, w); err == nil {
		t.Fatal("the consumer could be made without an answer")
	}
	job := p.film("talk.mp4", 1000)
	p.enqueue(job)
	p.run("one", w, book)
	if info := p.wait("talk"); info.State != fleet.StateSucceeded {
		t.Errorf("got %+v", info)
	}
	p.checkObject(job)
}
