package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"hash/crc64"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	storestream "github.com/vodupload/vodupload/upload/fleet/jetstream"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

// A plant is a queue, an OSS, a folder of films and the store that its workers share.
type plant struct {
	*fleet.Queue
	t      *testing.T
	js     jetstream.JetStream
	oss    *osstest.Server
	folder string
	store  checkpoint.Store // of the workers; nil: they open their own
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	p := &plant{
		Queue: newQueue(t), t: t, folder: t.TempDir(),
		oss: osstest.NewServer(&osstest.Options{Buckets: []string{"media"}}),
	}
	t.Cleanup(p.oss.Close)
	js, err := jetstream.New(connect(t))
	if err != nil {
		t.Fatal(err)
	}
	p.js = js
	return p
}

// A sharedStore says that the machines of a test share it.
type sharedStore struct{ checkpoint.Store }

func (sharedStore) Shared() bool { return true }

// film makes a file of so many bytes, and returns a job for it.
func (p *plant) film(name string, size int) fleet.Job {
	p.t.Helper()
	path := filepath.Join(p.folder, name)
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte([]byte(strings.Repeat(name, 32)[:32])))
	_, _ = r.Read(data)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return fleet.Job{ID: strings.TrimSuffix(name, ".mp4"), Source: "file://" + path, Endpoint: p.oss.URL, Bucket: "media", Object: "in/" + name}
}

func (p *plant) enqueue(jobs ...fleet.Job) {
	p.t.Helper()
	for _, j := range jobs {
		if _, err := p.Enqueue(p.t.Context(), j); err != nil {
			p.t.Fatal(err)
		}
	}
}

// wait returns the state in which a job has ended.
func (p *plant) wait(id string) fleet.JobInfo {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	info, err := p.Wait(ctx, id)
	if err != nil {
		now, _ := p.Get(p.t.Context(), id)
		p.t.Fatalf("%v; the job is %+v", err, now)
	}
	return info
}

func (p *plant) get(id string) fleet.JobInfo {
	p.t.Helper()
	info, err := p.Get(p.t.Context(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	return info
}

// checkObject compares the object of a job with its file.
func (p *plant) checkObject(j fleet.Job) {
	p.t.Helper()
	want, err := os.ReadFile(strings.TrimPrefix(j.Source, "file://"))
	if err != nil {
		p.t.Fatal(err)
	}
	got, ok := p.oss.Object(j.Bucket, j.Object)
	if !ok {
		p.t.Errorf("%s is not there", j.Object)
		return
	}
	if got.Size != int64(len(want)) || got.CRC64 != crc64.Checksum(want, crc64.MakeTable(crc64.ECMA)) {
		p.t.Errorf("%s differs from its file", j.Object)
	}
}

// A running is a worker that runs until stop, or the end of the test.
type running struct {
	*fleet.Worker
	stop func()
	log  *logbook
}

// worker starts a worker of this name; change may be nil.
func (p *plant) worker(name string, change func(*fleet.WorkerOptions)) *running {
	p.t.Helper()
	w, book := p.newWorker(name, change)
	return p.run(name, w, book)
}

// newWorker makes a worker that does not run yet.
func (p *plant) newWorker(name string, change func(*fleet.WorkerOptions)) (*fleet.Worker, *logbook) {
	p.t.Helper()
	files, err := fleet.Files(p.folder)
	if err != nil {
		p.t.Fatal(err)
	}
	book := &logbook{}
	o := &fleet.WorkerOptions{
		Namespace: namespace(p.t), Name: name, Upload: uploadtest.Options(osstest.DefaultKey),
		Openers: map[string]fleet.Opener{"file": files},
		Backoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond,
		Lease: 5 * time.Second, AckWait: time.Second, Presence: time.Second, ReconcileInterval: time.Hour,
		Logger: slog.New(slog.NewTextHandler(book, nil)),
	}
	o.Upload.Checkpoints = p.store
	if change != nil {
		change(o)
	}
	w, err := fleet.NewWorker(p.t.Context(), connect(p.t), o)
	if err != nil {
		p.t.Fatal(err)
	}
	return w, book
}

func (p *plant) run(name string, w *fleet.Worker, book *logbook) *running {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	r := &running{Worker: w, log: book}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Errorf("Run of %s: %v", name, err)
		}
	})
	p.t.Cleanup(r.stop)
	return r
}

// A logbook is what a worker has logged.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logbook) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(data)
}

func (b *logbook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// bells returns the stream that holds the messages of the queue.
func (p *plant) bells() jetstream.Stream {
	p.t.Helper()
	s, err := p.js.Stream(p.t.Context(), "VUQ_"+namespace(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// empty waits until no message is in the queue.
func (p *plant) empty() {
	p.t.Helper()
	await(p.t, "the queue is empty", func() bool {
		info, err := p.bells().Info(p.t.Context())
		return err == nil && info.State.Msgs == 0
	})
}

// records returns how many checkpoints there are.
func (p *plant) records() int {
	p.t.Helper()
	return len(p.checkpoints())
}

func (p *plant) checkpoints() []checkpoint.Entry {
	p.t.Helper()
	store, err := storestream.Open(p.t.Context(), connect(p.t), &storestream.Options{Namespace: namespace(p.t)})
	if err != nil {
		p.t.Fatal(err)
	}
	defer store.Close()
	entries, err := store.List(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return entries
}

func TestJobsAreUploaded(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	small, large, none := p.film("small.mp4", 10<<10), p.film("large.mp4", 350<<10), p.film("none.mp4", 0)
	p.enqueue(small, large, none)
	p.worker("a", nil)
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

// bellSubject finds the subject of a job's message by enqueueing the same upload twice.
func bellSubject(t *testing.T, p *plant, job fleet.Job) string {
	t.Helper()
	return fleet.BellSubject(p.Queue, job)
}

func TestTwoDeliveriesAtTheSameTime(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 350<<10)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	p.oss.Inject(hold)
	p.enqueue(job)
	a := p.worker("a", nil)
	<-hold.Fired()
	b := p.worker("b", nil)
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

// A second delivery to a worker that could not do the job must not touch the state of the
// one that is at it.
func TestSecondDeliveryToAWorkerWithoutTheSource(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fleet.WorkerOptions){
		"no source": func(o *fleet.WorkerOptions) { o.Openers["file"], _ = fleet.Files(t.TempDir()) },
		"a permanent error": func(o *fleet.WorkerOptions) {
			o.Prepare = func(context.Context, fleet.Job, *upload.File) error { return fleet.ErrInvalidArgument }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t)
			job := p.film("talk.mp4", 350<<10)
			hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
			p.oss.Inject(hold)
			p.enqueue(job)
			a := p.worker("a", func(o *fleet.WorkerOptions) { o.Files = 1 })
			<-hold.Fired()
			await(t, "a has written that it runs", func() bool { return p.get(job.ID).State == fleet.StateRunning })
			p.worker("b", change)
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
			if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Attempts != 1 || info.Worker != "a" {
				t.Errorf("got %+v, want a to have done it", info)
			}
			a.stop()
		})
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

func TestSourceOfAnotherMachine(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 100)
	p.enqueue(job)
	elsewhere := t.TempDir()
	p.worker("has-not", func(o *fleet.WorkerOptions) {
		files, err := fleet.Files(elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		o.Openers["file"] = files
		o.MaxAttempts = 1
	})
	await(t, "the first worker has said that it does not have the file", func() bool {
		return strings.Contains(p.get(job.ID).Error, "talk.mp4")
	})
	info := p.get(job.ID)
	if info.State != fleet.StateQueued || info.Attempts != 0 || !strings.Contains(info.Error, "has-not") || !strings.Contains(info.Error, elsewhere) {
		t.Errorf("got %+v, want it kept, with the worker and its folders", info)
	}
	p.worker("has", nil)
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Worker != "has" || info.Error != "" || info.Attempts != 1 {
		t.Errorf("got %+v, want the other worker to have done it", info)
	}
}

func TestSourceThatNobodyHas(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	gone, scheme := p.film("gone.mp4", 100), film("scheme.mp4")
	if err := os.Remove(filepath.Join(p.folder, "gone.mp4")); err != nil {
		t.Fatal(err)
	}
	scheme.ID, scheme.Source = "scheme", "gopher://origin/scheme.mp4?Signature=secret"
	p.enqueue(gone, scheme)
	a := p.worker("a", func(o *fleet.WorkerOptions) { o.SourceWait = 200 * time.Millisecond })
	for id, text := range map[string]string{gone.ID: "gone.mp4", scheme.ID: "gopher"} {
		info := p.wait(id)
		if info.State != fleet.StateDead || !strings.Contains(info.Error, text) || strings.Contains(info.Error, "secret") {
			t.Errorf("got %+v, want it dead after SourceWait, with %q", info, text)
		}
		if waited := info.Ended.Sub(info.Enqueued); waited < 200*time.Millisecond {
			t.Errorf("%s was dead after %v, before SourceWait", id, waited)
		}
	}
	if strings.Contains(a.log.String(), "secret") {
		t.Errorf("the signature is in the log: %s", a.log)
	}
}

func TestFilesOutsideOfTheFolders(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	outside := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(outside, []byte("root"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(p.folder, "link")
	if err := os.Symlink(outside, link); err != nil {
		t.Skip(err)
	}
	open, err := fleet.Files(p.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{outside, link, p.folder + "/../" + filepath.Base(filepath.Dir(outside)) + "/passwd", "/", p.folder + "x/y"} {
		if f, err := open(t.Context(), fleet.Job{Source: "file://" + path}); !errors.Is(err, fleet.ErrNoSource) {
			t.Errorf("%s: got %+v, %v; want ErrNoSource", path, f, err)
		}
	}
	if _, err := open(t.Context(), fleet.Job{Source: "file://" + p.folder}); !errors.Is(err, fleet.ErrInvalidArgument) {
		t.Errorf("a folder: got %v", err)
	}
	for _, folders := range [][]string{nil, {"films"}, {""}} {
		if _, err := fleet.Files(folders...); !errors.Is(err, fleet.ErrInvalidArgument) {
			t.Errorf("Files(%q): got %v", folders, err)
		}
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

func TestDrain(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job, small := p.film("talk.mp4", 450<<10), p.film("small.mp4", 100)
	hold, holdSmall := osstest.Hang(osstest.OpUploadPart).Nth(3).Always(), osstest.Hang(osstest.OpPutObject).Always()
	p.oss.Inject(hold, holdSmall)
	p.enqueue(job, small)
	a := p.worker("a", func(o *fleet.WorkerOptions) { o.Lease, o.AckWait = time.Minute, time.Minute })
	<-hold.Fired()
	<-holdSmall.Fired()
	await(t, "two parts are recorded", func() bool {
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
	b := p.worker("b", func(o *fleet.WorkerOptions) { o.Lease, o.AckWait = time.Minute, time.Minute })
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

func TestSignatureOfAURLIsInNoCheckpoint(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	data := bytes.Repeat([]byte("talk "), 100_000)
	job := fleet.Job{ID: "talk", Source: "https://origin/talk.mp4?Signature=secret", Endpoint: p.oss.URL, Bucket: "media", Object: "talk"}
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3).Always()
	p.oss.Inject(hold)
	p.enqueue(job)
	opens := func(o *fleet.WorkerOptions) {
		o.Openers["https"] = func(_ context.Context, j fleet.Job) (upload.File, error) {
			if j.Source != job.Source {
				t.Errorf("the opener got %s", j.Source)
			}
			return upload.File{Source: upload.NewSource(bytes.NewReader(data), int64(len(data)), "v1")}, nil
		}
	}
	a := p.worker("a", opens)
	<-hold.Fired()
	await(t, "two parts are there", func() bool { return p.parts(job) == 2 })
	a.stop()
	if c := p.checkpoints(); len(c) != 1 || c[0].Record.Key.Source != "https://origin/talk.mp4" {
		t.Errorf("got checkpoints %+v, want one without the signature", c)
	}
	p.oss.ClearFaults()
	b := p.worker("b", opens)
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Result.ResumedParts != 2 {
		t.Errorf("got %+v, want b to have resumed it", info)
	}
	for _, r := range []*running{a, b} {
		if strings.Contains(r.log.String(), "secret") {
			t.Errorf("the signature is in the log: %s", r.log)
		}
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
