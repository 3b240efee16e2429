package transfer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/osstest"
)

var errFull = errors.New("no space left on device")

func full() error { return errFull }

func fullCtx(context.Context) error { return errFull }

func TestCheckpointCannotBeKept(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  func(*faultyStore)
		counts string
		left   [2]int // uploads, records
		resume string
	}{
		{"not opened: nothing is sent", func(s *faultyStore) { s.open = full }, "", [2]int{0, 0}, "Initiate 1, Part 5, Complete 1"},
		{
			"not begun: nothing is sent, and nothing is left at the server", func(s *faultyStore) { s.begin = fullCtx },
			"Initiate 1, Abort 1, List 1", [2]int{0, 0}, "Initiate 1, Part 5, Complete 1",
		},
		{
			"not durable: nothing is completed", func(s *faultyStore) { s.flush = fullCtx },
			"Initiate 1, Part 5", [2]int{1, 1}, "List 1, Complete 1",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestbed(t, fiveParts)
			tt.fault(r.store)
			if err := r.fails(ErrCheckpoint); !errors.Is(err, errFull) {
				t.Errorf("got %v, want also why", err)
			}
			r.counts(tt.counts)
			r.store.open, r.store.begin, r.store.flush = nil, nil, nil
			r.left(tt.left[0], tt.left[1])
			r.server.ResetRequests()
			r.ok()
			r.counts(tt.resume)
			r.left(0, 0)
		})
		t.Run(tt.name+", but that is optional", func(t *testing.T) {
			r := newTestbed(t, fiveParts)
			r.opts.Optional = true
			tt.fault(r.store)
			if res := r.ok(); !res.Verified {
				t.Error("got not verified")
			}
			r.counts("Initiate 1, Part 5, Complete 1")
			wantWarning(t, &r.seen, "continues without")
			r.store.open = nil
			r.left(0, 0)
		})
	}
	t.Run("a part not added: ends the upload, which can go on", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.store.add = full
		r.fails(ErrCheckpoint)
		r.left(1, 1)
		r.store.add = nil
		r.ok()
		r.left(0, 0)
	})
	t.Run("no part added, but that is optional: one warning", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.opts.Optional = true
		r.store.add = full
		r.ok()
		wantWarning(t, &r.seen, "continues without")
		r.left(0, 0)
	})
}

// Whoever continues without a checkpoint still holds the claim, and leaves no record
// behind that says something else.
func TestOptionalCheckpointThatCannotBeBegun(t *testing.T) {
	r := newTestbed(t, fiveParts)
	r.opts.Optional = true
	r.interrupt(2)
	r.write(data(fiveParts+1, 2)) // the record is of another source now
	r.store.begin = fullCtx
	hang := hang(osstest.OpUploadPart)
	r.server.Inject(hang)
	ctx, stop := context.WithCancelCause(r.ctx)
	done := make(chan error)
	go func() {
		_, err := r.run(ctx)
		done <- err
	}()
	<-hang.Fired()
	if _, err := r.store.Store.Open(r.ctx, r.job(nil).key()); !errors.Is(err, checkpoint.ErrInUse) {
		t.Errorf("got %v, want %v", err, checkpoint.ErrInUse)
	}
	stop(errPause)
	if err := <-done; !errors.Is(err, errPause) {
		t.Errorf("got %v, want %v", err, errPause)
	}
	r.left(1, 0)
}

// What begins is interrupted before anybody could find it again.
func TestInterruptedWhileTheCheckpointBegins(t *testing.T) {
	for _, cause := range []error{errPause, ErrAbandon} {
		r := newTestbed(t, fiveParts)
		ctx, stop := context.WithCancelCause(r.ctx)
		r.store.begin = func(context.Context) error {
			stop(cause)
			return cause
		}
		if _, err := r.run(ctx); !errors.Is(err, cause) || errors.Is(err, ErrCheckpoint) {
			t.Errorf("got %v, want %v", err, cause)
		}
		r.left(0, 0)
	}
}

// The recorder's promises on a real disk.
func TestInADirectory(t *testing.T) {
	r := newTestbed(t, fiveParts)
	dir := must(checkpoint.OpenDir(t.TempDir()))
	defer dir.Close()
	r.store.Store = dir
	r.interrupt(1, 5)
	r.ok()
	r.sent(1, 5)
	r.left(0, 0)
}

func TestVolatileKeepsNothingInTheStore(t *testing.T) {
	r := newTestbed(t, fiveParts)
	s := r.service()
	src := inMemory(data(fiveParts, 1))
	ctx, stop := context.WithCancelCause(r.ctx)
	job := r.job(src)
	job.Volatile = true
	f := hang(osstest.OpUploadPart).Part(3)
	r.server.Inject(f)
	r.seen.when(func(e Event) bool { return e.Uploaded == fiveParts-partSize }, func() {
		go func() {
			<-f.Fired()
			stop(errPause)
		}()
	})
	if _, err := s.NewSession(nil).Run(ctx, job); !errors.Is(err, errPause) {
		t.Fatal(err)
	}
	r.left(1, 0)
	r.calm()
	if _, err := s.NewSession(nil).Run(r.ctx, job); err != nil {
		t.Fatal(err)
	}
	r.sent(3)
	r.left(0, 0)
}

// A slowStore is a store whose disk takes its time.
type slowStore struct {
	checkpoint.Store
	took time.Duration
}

type slowUpload struct {
	checkpoint.Claim
	took time.Duration
}

func (s slowStore) Open(ctx context.Context, k checkpoint.Key) (checkpoint.Claim, error) {
	u, err := s.Store.Open(ctx, k)
	return slowUpload{u, s.took}, err
}

func (u slowUpload) Slowest() time.Duration { return u.took }

func TestSlowDiskIsToldSeldom(t *testing.T) {
	for took, want := range map[time.Duration]int{time.Second: 0, time.Second + 1: 1} {
		r := newTestbed(t, fiveParts)
		r.opts.Checkpoints = slowStore{checkpoint.NewMemory(), took}
		s := r.service()
		for range 2 {
			if _, err := s.NewSession(nil).Run(r.ctx, r.job(must(OpenFile(r.path)))); err != nil {
				t.Fatal(err)
			}
		}
		if w := r.seen.of(Warning); len(w) != want {
			t.Errorf("after %v got warnings %v, want %d", took, texts(w), want)
		}
	}
	var s seldom
	if !s.due(someTime) || s.due(someTime.Add(10*time.Minute-1)) || !s.due(someTime.Add(10*time.Minute)) {
		t.Error("not due once in ten minutes")
	}
}
