package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A testbed is a server, a file, and a service with all that it needs.
type testbed struct {
	*testing.T
	ctx      context.Context
	server   *osstest.Server
	store    *faultyStore
	opts     Options
	gate     *testGate
	slots    *testSlots
	path     string
	source   Source // in place of the file at path; may be nil
	object   target.ObjectOptions
	seen     eventLog
	sessions map[*Stream]*Session
	still    sync.RWMutex // held while the file is changed in two steps

	now    sync.Mutex
	offset time.Duration // of the server's clock
}

// hangTimeout is when a test is taken to hang. It is no measure of time: on a machine that does
// much else, any test may take minutes.
const hangTimeout = 5 * time.Minute

func newTestbed(t *testing.T, size int) *testbed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangTimeout)
	t.Cleanup(cancel)
	r := &testbed{T: t, ctx: ctx, store: &faultyStore{Store: checkpoint.NewMemory()}, slots: newSlots(5), sessions: make(map[*Stream]*Session)}
	r.server = osstest.NewServer(&osstest.Options{Buckets: []string{media}, Now: r.clock})
	t.Cleanup(r.server.Close)
	r.gate = newGate(key(0))
	r.path = filepath.Join(t.TempDir(), "talk.mp4")
	r.write(data(size, 1))
	r.opts = Options{
		Wire: wire.Options{StallTimeout: 5 * time.Second}, Checkpoints: r.store,
		PartSize: partSize, Parallel: 5, Retry: RetryPolicy{Count: 3, Interval: time.Millisecond},
		CleanupTimeout: 5 * time.Second,
	}
	return r
}

func (r *testbed) clock() time.Time {
	r.now.Lock()
	defer r.now.Unlock()
	return time.Now().Add(r.offset)
}

// turnBack sets the server's clock back, until turnBack(0).
func (r *testbed) turnBack(d time.Duration) {
	r.now.Lock()
	defer r.now.Unlock()
	r.offset = -d
}

func (r *testbed) write(b []byte) {
	r.Helper()
	if err := os.WriteFile(r.path, b, 0o600); err != nil {
		r.Fatal(err)
	}
}

// change writes to the file in place, and sets its modification time back. Nobody
// sees it between.
func (r *testbed) change(off int64, b []byte) {
	r.Helper()
	r.still.Lock()
	defer r.still.Unlock()
	changeInPlace(r, r.path, off, b)
}

// A stillSource is not looked at while the file is being changed.
type stillSource struct {
	Source
	still *sync.RWMutex
}

func (s *stillSource) Check() error {
	s.still.RLock()
	defer s.still.RUnlock()
	return s.Source.Check()
}

func (r *testbed) target() target.Target {
	r.Helper()
	return must(target.Locator{}.Target(r.server.URL, media, name))
}

// service returns a new one, as a new process would have it.
func (r *testbed) service() *Service {
	s := NewService(r.opts)
	r.Cleanup(s.CloseIdle)
	return s
}

func (r *testbed) job(src Source) *Job {
	return &Job{
		Source: src, Name: r.path, Target: r.target(), Object: r.object,
		Gate: r.gate, Slots: r.slots, Emit: r.seen.take,
	}
}

// run uploads the file once, as a new process would.
func (r *testbed) run(ctx context.Context) (Result, error) {
	r.Helper()
	src := r.source
	if src == nil {
		src = must(OpenFile(r.path))
		defer src.Close()
	}
	res, err := r.service().NewSession(nil).Run(ctx, r.job(&stillSource{src, &r.still}))
	if held := r.slots.inUse(); held != 0 {
		r.Errorf("%d slots are held after the run", held)
	}
	return res, err
}

// ok runs and wants success, and the object to be the file.
func (r *testbed) ok() Result {
	r.Helper()
	res, err := r.run(r.ctx)
	if err != nil {
		r.Fatalf("got %v, want success", err)
	}
	r.same()
	return res
}

// fails runs and wants an error that is target.
func (r *testbed) fails(target error) error {
	r.Helper()
	_, err := r.run(r.ctx)
	if !errors.Is(err, target) {
		r.Fatalf("got %v, want %v", err, target)
	}
	return err
}

// refused runs and wants the server's word for an error.
func (r *testbed) refused(code string) *wire.Error {
	r.Helper()
	_, err := r.run(r.ctx)
	var we *wire.Error
	if !errors.As(err, &we) || we.Code != code {
		r.Fatalf("got %v, want %s", err, code)
	}
	return we
}

// interrupt leaves an upload of fiveParts behind of which the server has all but the
// missing parts, and the record too.
func (r *testbed) interrupt(missing ...int) {
	r.Helper()
	var have int64
	var hangs []*osstest.Fault
	for n := 1; n <= 5; n++ {
		if slices.Contains(missing, n) {
			hangs = append(hangs, hang(osstest.OpUploadPart).Part(n))
			continue
		}
		_, size := must(NewPlan(fiveParts, partSize)).Section(n)
		have += size
	}
	r.interruptAt(have, hangs...)
}

// hang lets the calls wait, until the client goes away, without doing their work.
func hang(op osstest.Op) *osstest.Fault { return osstest.Hang(op).BeforeWork().Always() }

// interruptAt ends a run once each hang holds a call, and so many bytes were
// acknowledged.
func (r *testbed) interruptAt(acked int64, hangs ...*osstest.Fault) {
	r.Helper()
	r.server.Inject(hangs...)
	ctx, stop := context.WithCancelCause(r.ctx)
	defer stop(nil)
	reached := make(chan struct{})
	if acked == 0 {
		close(reached)
	} else {
		r.seen.when(func(e Event) bool { return e.Uploaded >= acked }, func() { close(reached) })
	}
	go func() {
		defer stop(errPause)
		wait := []<-chan struct{}{reached}
		for _, f := range hangs {
			wait = append(wait, f.Fired())
		}
		for _, c := range wait {
			select {
			case <-c:
			case <-r.ctx.Done():
			}
		}
	}()
	_, err := r.run(ctx)
	if !errors.Is(err, errPause) {
		r.Fatalf("got %v, want %v", err, errPause)
	}
	r.left(1, 1)
	r.calm()
}

var errPause = errors.New("paused by the test")

// calm ends the faults, waits for the server to be done, and empties its log.
func (r *testbed) calm() {
	r.Helper()
	r.server.AssertFired(r)
	if err := r.server.WaitIdle(r.ctx); err != nil {
		r.Fatal(err)
	}
	r.server.ClearFaults()
	r.server.ResetRequests()
	r.seen.reset()
}

// short names of operations, for counts.
var opNames = map[osstest.Op]string{
	osstest.OpPutObject: "Put", osstest.OpInitiateMultipartUpload: "Initiate", osstest.OpUploadPart: "Part",
	osstest.OpCompleteMultipartUpload: "Complete", osstest.OpAbortMultipartUpload: "Abort",
	osstest.OpListParts: "List", osstest.OpHeadObject: "Head", osstest.OpListMultipartUploads: "Uploads", osstest.OpListObjects: "Objects",
}

// counts compares the requests that the server has seen, in the order of their first
// ones: "Initiate 1, Part 5, Complete 1".
func (r *testbed) counts(want string) {
	r.Helper()
	n := make(map[string]int)
	var order []string
	for _, q := range r.server.Requests() {
		op := opNames[q.Op]
		if n[op]++; n[op] == 1 {
			order = append(order, op)
		}
	}
	for i, op := range order {
		order[i] = fmt.Sprint(op, " ", n[op])
	}
	if got := strings.Join(order, ", "); got != want {
		r.Errorf("requests: got %s; want %s", got, want)
		for _, q := range r.server.Requests() {
			r.Log(q)
		}
	}
}

// sent compares the numbers of the parts that were sent.
func (r *testbed) sent(want ...int) {
	r.Helper()
	var got []int
	for _, q := range r.server.Requests(osstest.OpUploadPart) {
		got = append(got, q.PartNumber)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.Errorf("parts sent: got %v, want %v", got, want)
	}
}

// content returns the object's bytes. It may be called on any goroutine, and so does not
// end it.
func (r *testbed) content() []byte {
	r.Helper()
	o, ok := r.server.Object(media, name)
	if !ok {
		r.Error("there is no object")
		return nil
	}
	f := must(o.Open())
	defer f.Close()
	return must(io.ReadAll(f))
}

func (r *testbed) same() {
	r.Helper()
	if !bytes.Equal(r.content(), must(os.ReadFile(r.path))) {
		r.Error("the object differs from the file")
	}
}

// left compares how many uploads the server and checkpoints the store still have.
func (r *testbed) left(uploads, records int) {
	r.Helper()
	if got := r.server.Uploads(media); len(got) != uploads {
		r.Errorf("got %d unfinished uploads at the server, want %d", len(got), uploads)
	}
	list := must(r.store.List(r.ctx))
	if len(list) != records {
		r.Errorf("got %d checkpoints, want %d", len(list), records)
	}
	for _, e := range list {
		if e.InUse {
			r.Error("the checkpoint is still claimed")
		}
	}
}

// older makes an object that was there ten minutes before, by one request.
func (r *testbed) older(b []byte) {
	r.Helper()
	r.make(b, 2*len(b)+partSize)
}

// olderParts is older for an object made of parts.
func (r *testbed) olderParts(b []byte) {
	r.Helper()
	r.make(b, partSize)
}

func (r *testbed) make(b []byte, size int) {
	r.Helper()
	r.turnBack(10 * time.Minute)
	defer r.turnBack(0)
	opts := r.opts
	opts.Checkpoints, opts.PartSize = checkpoint.NewMemory(), int64(size)
	s := NewService(opts)
	defer s.CloseIdle()
	job := r.job(inMemory(b))
	job.Object, job.Emit = target.ObjectOptions{}, nil
	if _, err := s.NewSession(nil).Run(r.ctx, job); err != nil {
		r.Fatal(err)
	}
	r.server.ResetRequests()
}
