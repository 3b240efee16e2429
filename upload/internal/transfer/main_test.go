package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kib      = 1 << 10
	partSize = MinPartSize
	name     = "in/talk.mp4"
	media    = "media"
)

// fiveParts is the size of a source of five parts, the last one short.
const fiveParts = 4*partSize + 10*kib

// data returns n bytes, the same in each run.
func data(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = io.ReadFull(rand.NewChaCha8([32]byte{seed}), b)
	return b
}

// A rig is a server, a file, and a service with all that it needs.
type rig struct {
	*testing.T
	ctx    context.Context
	server *osstest.Server
	store  *faultyStore
	opts   Options
	gate   *testGate
	slots  *testSlots
	path   string
	object ObjectOptions
	seen   recorder
	still  sync.RWMutex // held while the file is changed in two steps

	now    sync.Mutex
	offset time.Duration // of the server's clock
}

func newRig(t *testing.T, size int) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	r := &rig{T: t, ctx: ctx, store: &faultyStore{Store: checkpoint.NewMemory()}, slots: newSlots(5)}
	r.server = osstest.NewServer(&osstest.Options{Buckets: []string{media}, Now: r.clock})
	t.Cleanup(r.server.Close)
	r.gate = newGate(key(0))
	r.path = filepath.Join(t.TempDir(), "talk.mp4")
	r.write(data(size, 1))
	r.opts = Options{
		Wire: wire.Options{Parallel: 5, StallTimeout: 5 * time.Second}, Checkpoints: r.store,
		PartSize: partSize, Parallel: 5, Retry: RetryPolicy{Count: 3, Interval: time.Millisecond},
		CleanupTimeout: 5 * time.Second,
	}
	return r
}

func (r *rig) clock() time.Time {
	r.now.Lock()
	defer r.now.Unlock()
	return time.Now().Add(r.offset)
}

// turnBack sets the server's clock back, until turnBack(0).
func (r *rig) turnBack(d time.Duration) {
	r.now.Lock()
	defer r.now.Unlock()
	r.offset = -d
}

func (r *rig) write(b []byte) {
	r.Helper()
	if err := os.WriteFile(r.path, b, 0o600); err != nil {
		r.Fatal(err)
	}
}

// change writes to the file in place, and sets its modification time back. Nobody
// sees it between.
func (r *rig) change(off int64, b []byte) {
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

func (r *rig) target() Target {
	r.Helper()
	return must(ParseTarget(r.server.URL, "", media, name))
}

// service returns a new one, as a new process would have it.
func (r *rig) service() *Service {
	s := NewService(r.opts)
	r.Cleanup(s.CloseIdle)
	return s
}

func (r *rig) job(src Source) *Job {
	return &Job{
		Source: src, Name: r.path, Target: r.target(), Object: r.object,
		Gate: r.gate, Slots: r.slots, Emit: r.seen.take,
	}
}

// run uploads the file once, as a new process would.
func (r *rig) run(ctx context.Context) (Result, error) {
	r.Helper()
	src, err := OpenFile(r.path)
	if err != nil {
		r.Fatal(err)
	}
	defer src.Close()
	res, err := r.service().Run(ctx, r.job(&stillSource{src, &r.still}))
	if held := r.slots.inUse(); held != 0 {
		r.Errorf("%d slots are held after the run", held)
	}
	return res, err
}

// ok runs and wants success, and the object to be the file.
func (r *rig) ok() Result {
	r.Helper()
	res, err := r.run(r.ctx)
	if err != nil {
		r.Fatalf("got %v, want success", err)
	}
	r.same()
	return res
}

// fails runs and wants an error that is target.
func (r *rig) fails(target error) error {
	r.Helper()
	_, err := r.run(r.ctx)
	if !errors.Is(err, target) {
		r.Fatalf("got %v, want %v", err, target)
	}
	return err
}

// refused runs and wants the server's word for an error.
func (r *rig) refused(code string) *wire.Error {
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
func (r *rig) interrupt(missing ...int) {
	r.Helper()
	var have int64
	for n := range 5 {
		if _, size := must(NewPlan(fiveParts, partSize)).Section(n + 1); !slices.Contains(missing, n+1) {
			have += size
		}
	}
	r.interruptAt(hang(osstest.OpUploadPart, missing...), have, 5)
}

// hang lets the calls with the given part numbers wait, until the client goes away,
// without doing their work.
func hang(op osstest.Op, parts ...int) *osstest.Fault {
	return osstest.Hang(op).BeforeWork().Always().Match(func(q osstest.Request) bool {
		return len(parts) == 0 || slices.Contains(parts, q.PartNumber)
	})
}

// interruptAt ends a run once a hang holds it, so many bytes were acknowledged, and
// the server has seen so many parts: one that it has not may yet be in the kernel's
// buffers, and arrive after the client has gone.
func (r *rig) interruptAt(hang *osstest.Fault, acked int64, parts int) {
	r.Helper()
	r.server.Inject(hang)
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
		for _, c := range []<-chan struct{}{reached, hang.Fired()} {
			select {
			case <-c:
			case <-r.ctx.Done():
			}
		}
		_ = r.server.WaitRequests(r.ctx, parts, osstest.OpUploadPart)
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
func (r *rig) calm() {
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
	osstest.OpListParts: "List", osstest.OpHeadObject: "Head", osstest.OpListMultipartUploads: "Uploads",
}

// counts compares the requests that the server has seen, in the order of their first
// ones: "Initiate 1, Part 5, Complete 1".
func (r *rig) counts(want string) {
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
func (r *rig) sent(want ...int) {
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

// content returns the object's bytes.
func (r *rig) content() []byte {
	r.Helper()
	o, ok := r.server.Object(media, name)
	if !ok {
		r.Fatal("there is no object")
	}
	f := must(o.Open())
	defer f.Close()
	return must(io.ReadAll(f))
}

func (r *rig) same() {
	r.Helper()
	if !bytes.Equal(r.content(), must(os.ReadFile(r.path))) {
		r.Error("the object differs from the file")
	}
}

// left compares how many uploads the server and checkpoints the store still have.
func (r *rig) left(uploads, records int) {
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

// put makes an object that was there before, an hour ago, by one request.
func (r *rig) older(b []byte) {
	r.Helper()
	r.make(b, 2*len(b)+partSize)
}

// olderParts is older for an object made of parts.
func (r *rig) olderParts(b []byte) {
	r.Helper()
	r.make(b, partSize)
}

func (r *rig) make(b []byte, size int) {
	r.Helper()
	r.turnBack(10 * time.Minute)
	defer r.turnBack(0)
	opts := r.opts
	opts.Checkpoints, opts.PartSize = checkpoint.NewMemory(), int64(size)
	s := NewService(opts)
	defer s.CloseIdle()
	job := r.job(inMemory(b))
	job.Object, job.Emit = ObjectOptions{}, nil
	if _, err := s.Run(r.ctx, job); err != nil {
		r.Fatal(err)
	}
	r.server.ResetRequests()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []Event
	cond   func(Event) bool
	then   func()
	hook   func(Event) // called for each
}

func (s *recorder) take(e Event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	then, hook := s.then, s.hook
	if then != nil && s.cond(e) {
		s.then = nil
	} else {
		then = nil
	}
	s.mu.Unlock()
	if then != nil {
		then()
	}
	if hook != nil {
		hook(e)
	}
}

// when calls then once, at the first event that cond is true for.
func (s *recorder) when(cond func(Event) bool, then func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cond, s.then = cond, then
}

func (s *recorder) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = nil
}

func (s *recorder) of(kind EventKind) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Event
	for _, e := range s.events {
		if e.Kind == kind {
			all = append(all, e)
		}
	}
	return all
}

// key returns temporary credentials of a generation, and 0 those that osstest takes.
func key(generation uint64) Snapshot {
	if generation == 0 {
		return Snapshot{Credentials: sts.Credentials{
			AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret,
		}}
	}
	id := fmt.Sprintf("STS.%d", generation)
	return Snapshot{Generation: generation, Credentials: sts.Credentials{
		AccessKeyID: id, AccessKeySecret: "secret-" + id, SecurityToken: "token-" + id,
	}}
}

// A testGate hands out one set of credentials, and gets the next from renew.
type testGate struct {
	renew func(generation uint64) (Snapshot, error) // nil: waits for give, or for the end

	mu       sync.Mutex
	now      Snapshot
	expired  bool
	asked    int // how often new ones were asked for
	refusals int // calls of Expired
	accepted int
	changed  chan struct{}
}

func newGate(s Snapshot) *testGate { return &testGate{now: s, changed: make(chan struct{})} }

func (g *testGate) Current() (Snapshot, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now, !g.expired
}

func (g *testGate) Expired(generation uint64, _ error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusals++
	if generation == g.now.Generation && !g.expired {
		g.expired = true
		g.asked++
	}
}

func (g *testGate) Accepted(uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accepted++
}

func (g *testGate) give(s Snapshot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now, g.expired = s, false
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *testGate) Wait(ctx context.Context) error {
	g.mu.Lock()
	changed, expired, now, renew := g.changed, g.expired, g.now.Generation, g.renew
	g.mu.Unlock()
	switch {
	case !expired:
		return nil
	case renew == nil:
		select {
		case <-changed:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s, err := renew(now)
	if err == nil {
		g.mu.Lock()
		if g.now.Generation == now {
			g.now, g.expired = s, false
		}
		g.mu.Unlock()
	}
	return err
}

// testSlots are a number of slots.
type testSlots struct {
	free chan struct{}
	mu   sync.Mutex
	used int
	most int
}

func newSlots(n int) *testSlots { return &testSlots{free: make(chan struct{}, n)} }

func (s *testSlots) Acquire(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil {
		<-s.free
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used++
	s.most = max(s.most, s.used)
	return nil
}

func (s *testSlots) Release() {
	s.mu.Lock()
	s.used--
	s.mu.Unlock()
	<-s.free
}

func (s *testSlots) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// A faultyStore is a store with calls that fail.
type faultyStore struct {
	checkpoint.Store
	open  func() error // before Open
	begin func(context.Context) error
	add   func() error
	flush func(context.Context) error
}

func (s *faultyStore) Open(ctx context.Context, k checkpoint.Key) (checkpoint.Upload, error) {
	if s.open != nil {
		if err := s.open(); err != nil {
			return nil, err
		}
	}
	u, err := s.Store.Open(ctx, k)
	if err != nil {
		return nil, err
	}
	return &faultyUpload{u, s}, nil
}

type faultyUpload struct {
	checkpoint.Upload
	s *faultyStore
}

func (u *faultyUpload) Begin(ctx context.Context, rec checkpoint.Record) error {
	if u.s.begin != nil {
		if err := u.s.begin(ctx); err != nil {
			return err
		}
	}
	return u.Upload.Begin(ctx, rec)
}

func (u *faultyUpload) Add(p checkpoint.Part) error {
	if u.s.add != nil {
		if err := u.s.add(); err != nil {
			return err
		}
	}
	return u.Upload.Add(p)
}

func (u *faultyUpload) Flush(ctx context.Context) error {
	if u.s.flush != nil {
		if err := u.s.flush(ctx); err != nil {
			return err
		}
	}
	return u.Upload.Flush(ctx)
}
