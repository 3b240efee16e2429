package fleet_test

import (
	"context"
	"hash/crc64"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/fleet"
	storestream "github.com/vodupload/vodupload/upload/fleet/jetstream"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

// A plant is a queue, an OSS, a folder of films and the store that its workers share.
type plant struct {
	*fleet.Queue
	t      *testing.T
	nats   string // URLs of the engine
	js     jetstream.JetStream
	oss    *osstest.Server
	folder string
	store  checkpoint.Store // of the workers; nil: they open their own
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	return newPlantOn(t, engine.URL())
}

// newPlantOn makes a plant on an engine of the test's own.
func newPlantOn(t *testing.T, urls string) *plant {
	t.Helper()
	p := &plant{
		t: t, nats: urls, folder: t.TempDir(),
		oss: osstest.NewServer(&osstest.Options{Buckets: []string{"media"}}),
	}
	t.Cleanup(p.oss.Close)
	nc := p.connect()
	var err error
	if p.Queue, err = fleet.NewQueue(t.Context(), nc, &fleet.QueueOptions{Namespace: namespace(t)}); err != nil {
		t.Fatal(err)
	}
	if p.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	return p
}

// connect returns a connection to the engine that ends with the test.
func (p *plant) connect() *nats.Conn {
	p.t.Helper()
	if p.nats == engine.URL() {
		return connect(p.t)
	}
	nc, err := dial(p.nats)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(nc.Close)
	return nc
}

// dial connects as a worker should: for ever, to whichever server is there.
func dial(urls string, o ...nats.Option) (*nats.Conn, error) {
	return nats.Connect(urls, append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(100 * time.Millisecond), nats.Timeout(time.Minute)}, o...)...)
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
	return p.waitFor(id, 30*time.Second)
}

func (p *plant) waitFor(id string, most time.Duration) fleet.JobInfo {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), most)
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

// patient is for workers of which a test wants one attempt for each job: where a disk or the
// machine stalls for longer than the usual lease, there are two.
func patient(o *fleet.WorkerOptions) { o.Lease, o.AckWait = time.Minute, time.Minute }

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
		Lease: 5 * time.Second, AckWait: time.Second, Presence: 10 * time.Second, ReconcileInterval: time.Hour,
		Logger: slog.New(slog.NewTextHandler(book, nil)),
	}
	o.Upload.Checkpoints = p.store
	if change != nil {
		change(o)
	}
	w, err := fleet.NewWorker(p.t.Context(), p.connect(), o)
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
	store, err := storestream.Open(p.t.Context(), p.connect(), &storestream.Options{Namespace: namespace(p.t), SyncAlways: true})
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

// bellSubject finds the subject of a job's message by enqueueing the same upload twice.
func bellSubject(t *testing.T, p *plant, job fleet.Job) string {
	t.Helper()
	return fleet.BellSubject(p.Queue, job)
}
