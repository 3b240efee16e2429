package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/crc64"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A fakeRemote is a server without sockets, for tests in fake time. Its hooks see
// each call before the work is done, and after; what they return is the answer.
type fakeRemote struct {
	before, after func(ctx context.Context, c fakeCall) error

	mu      sync.Mutex
	n       map[string]int
	uploads map[string]map[int]wire.Part
	object  *wire.ObjectInfo
	busy    int // calls in flight
}

// A fakeCall is a call as the hooks see it.
type fakeCall struct {
	op   string
	part int
	nth  int // of its operation, and of its part where it has one; from 1
	gen  uint64
	busy int // other calls in flight
}

func newFake() *fakeRemote {
	return &fakeRemote{n: make(map[string]int), uploads: make(map[string]map[int]wire.Part)}
}

// do runs a call through the hooks.
func (f *fakeRemote) do(ctx context.Context, s Snapshot, op string, part int, work func() error) error {
	f.mu.Lock()
	key := op
	if part > 0 {
		key = fmt.Sprint(op, part)
	}
	f.n[key]++
	c := fakeCall{op, part, f.n[key], s.Generation, f.busy}
	f.busy++
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.busy--
		f.mu.Unlock()
	}()
	hook := func(h func(context.Context, fakeCall) error) error {
		if h == nil {
			return nil
		}
		err := h(ctx, c)
		if we, ok := errors.AsType[*wire.Error](err); ok {
			told := *we // the test may use one for all calls
			told.Op, told.Part, told.Generation = op, part, s.Generation
			return &told
		}
		return err
	}
	if err := hook(f.before); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return &wire.Error{Op: op, Part: part, Class: wire.Canceled, Err: context.Cause(ctx)}
	}
	f.mu.Lock()
	err := work()
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return hook(f.after)
}

func (f *fakeRemote) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n[op]
}

func read(b wire.Body) (uint64, error) {
	buf := make([]byte, b.Size)
	n, err := b.R.ReadAt(buf, b.Off)
	if b.Sent != nil {
		b.Sent(int64(n))
	}
	if n < len(buf) {
		return 0, &wire.Error{Class: wire.Permanent, Err: fmt.Errorf("read source at byte %d: %w", b.Off+int64(n), err)}
	}
	return crc64.Checksum(buf), nil
}

var errGone = &wire.Error{Class: wire.Restart, Status: 404, Code: "NoSuchUpload"}

func gone(op string) error {
	e := *errGone
	e.Op = op
	return &e
}

func (f *fakeRemote) Put(ctx context.Context, s Snapshot, b wire.Body, _ *target.ObjectOptions) (res wire.PutResult, err error) {
	crc, err := read(b)
	if err != nil {
		return res, err
	}
	err = f.do(ctx, s, "Put", 0, func() error {
		f.object = &wire.ObjectInfo{Size: b.Size, ETag: "P", CRC64: crc, HasCRC64: true, Type: typeNormal, LastModified: time.Now()}
		res = wire.PutResult{ETag: "P", CRC64: crc, Verified: true}
		return nil
	})
	return res, err
}

func (f *fakeRemote) Initiate(ctx context.Context, s Snapshot, _ *target.ObjectOptions) (res wire.Initiated, err error) {
	err = f.do(ctx, s, "Initiate", 0, func() error {
		id := fmt.Sprintf("UPLOAD%d", f.n["Initiate"])
		f.uploads[id] = make(map[int]wire.Part)
		res = wire.Initiated{UploadID: id, ServerTime: time.Now()}
		return nil
	})
	return res, err
}

func (f *fakeRemote) UploadPart(ctx context.Context, s Snapshot, id string, n int, b wire.Body, _ *target.ObjectOptions) (p wire.Part, err error) {
	crc, err := read(b)
	if err != nil {
		return p, err
	}
	err = f.do(ctx, s, "UploadPart", n, func() error {
		if f.uploads[id] == nil {
			return gone("UploadPart")
		}
		p = wire.Part{Number: n, Size: b.Size, ETag: fmt.Sprintf("%X", crc), CRC64: crc, HasCRC64: true}
		f.uploads[id][n] = p
		return nil
	})
	return p, err
}

func (f *fakeRemote) Complete(ctx context.Context, s Snapshot, id string, parts []wire.Part, _ *target.ObjectOptions) (res wire.CompleteResult, err error) {
	err = f.do(ctx, s, "Complete", 0, func() error {
		if f.uploads[id] == nil {
			return gone("Complete")
		}
		var info wire.ObjectInfo
		for _, p := range parts {
			if f.uploads[id][p.Number] != p {
				return &wire.Error{Op: "Complete", Status: 400, Code: "InvalidPart"}
			}
			info.Size += p.Size
		}
		info.CRC64, info.HasCRC64, info.ETag = combined(parts), true, "M"
		info.Type, info.LastModified = typeMultipart, time.Now()
		f.object = &info
		delete(f.uploads, id)
		res = wire.CompleteResult{ETag: "M", CRC64: info.CRC64, HasCRC64: true}
		return nil
	})
	return res, err
}

func (f *fakeRemote) Abort(ctx context.Context, s Snapshot, id string) error {
	return f.do(ctx, s, "Abort", 0, func() error {
		if f.uploads[id] == nil {
			return gone("Abort")
		}
		delete(f.uploads, id)
		return nil
	})
}

func (f *fakeRemote) ListParts(ctx context.Context, s Snapshot, id string) (parts []wire.Part, err error) {
	err = f.do(ctx, s, "ListParts", 0, func() error {
		if f.uploads[id] == nil {
			return gone("ListParts")
		}
		for n := 1; n <= MaxParts; n++ {
			if p, ok := f.uploads[id][n]; ok {
				parts = append(parts, p)
			}
		}
		return nil
	})
	return parts, err
}

func (f *fakeRemote) Head(ctx context.Context, s Snapshot) (info wire.ObjectInfo, err error) {
	err = f.do(ctx, s, "Head", 0, func() error {
		if f.object == nil {
			return &wire.Error{Op: "Head", Status: 404, Code: "NoSuchKey"}
		}
		info = *f.object
		return nil
	})
	return info, err
}

// A memSource is a source whose reads can be made to fail or to wait.
type memSource struct {
	inMemory
	read  func(off int64) error
	check func() error
}

func (s *memSource) ReadAt(p []byte, off int64) (int, error) {
	if s.read != nil {
		if err := s.read(off); err != nil {
			return 0, err
		}
	}
	return s.inMemory.ReadAt(p, off)
}

func (s *memSource) Check() error {
	if s.check != nil {
		return s.check()
	}
	return nil
}

// A bubble is an upload in fake time.
type bubble struct {
	*testing.T
	ctx    context.Context
	stop   context.CancelCauseFunc
	remote *fakeRemote
	src    *memSource
	gate   *testGate
	slots  *testSlots
	store  *faultyStore
	opts   Options
	seen   eventLog
}

func newBubble(t *testing.T, size int) *bubble {
	b := &bubble{
		T: t, remote: newFake(), src: &memSource{inMemory: data(size, 1)},
		gate: newGate(key(1)), slots: newSlots(5), store: &faultyStore{Store: checkpoint.NewMemory()},
	}
	b.ctx, b.stop = context.WithCancelCause(t.Context())
	b.opts = Options{
		Checkpoints: b.store, PartSize: partSize, Parallel: 5,
		Retry: RetryPolicy{Count: 3, Interval: 2 * time.Second}, CleanupTimeout: 30 * time.Second,
	}
	return b
}

// runAt is [Session.Run] with another server.
func runAt(ctx context.Context, s *Service, job *Job, remote wire.Remote) (Result, error) {
	u := &upload{caller: s.callerFor(job), session: s.NewSession(nil), job: job, remote: remote}
	return u.run(ctx)
}

// start runs the upload.
func (b *bubble) start() (Result, error) {
	job := &Job{
		Source: b.src, Name: "/media/talk.mp4", Gate: b.gate, Slots: b.slots, Emit: b.seen.take,
		Target: must(target.Locator{}.Target("oss-cn-hangzhou.aliyuncs.com", media, name)),
	}
	return runAt(b.ctx, NewService(b.opts), job, b.remote)
}

// run is start, and looks that nothing continues after it.
func (b *bubble) run() (Result, error) {
	res, err := b.start()
	if held := b.slots.inUse(); held != 0 {
		b.Errorf("%d slots are held after the run", held)
	}
	if b.remote.busy != 0 {
		b.Errorf("%d calls are in flight after the run", b.remote.busy)
	}
	return res, err
}

// left compares what is left behind.
func (b *bubble) left(uploads, records int) {
	b.Helper()
	if got := len(b.remote.uploads); got != uploads {
		b.Errorf("got %d unfinished uploads at the server, want %d", got, uploads)
	}
	if got := len(must(b.store.List(context.Background()))); got != records {
		b.Errorf("got %d checkpoints, want %d", got, records)
	}
}

// on makes a hook for one operation, and 0 for any part.
func on(op string, part int, answer func(ctx context.Context, c fakeCall) error) func(context.Context, fakeCall) error {
	return func(ctx context.Context, c fakeCall) error {
		if c.op != op || part != 0 && c.part != part {
			return nil
		}
		return answer(ctx, c)
	}
}

// hangs waits for the context, as a call does that is not answered.
func hangs(ctx context.Context, _ fakeCall) error {
	<-ctx.Done()
	return &wire.Error{Class: wire.Canceled, Err: context.Cause(ctx)}
}

var errIO = fmt.Errorf("input/output error: %w", io.ErrClosedPipe)
