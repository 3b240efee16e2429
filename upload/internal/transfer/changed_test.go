package transfer

import (
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
	"github.com/vodupload/vodupload/upload/osstest"
)

// afterParts calls change once, when so many parts are acknowledged, with one part
// at a time in flight.
func (r *testbed) afterParts(n int, change func()) {
	r.opts.Parallel, r.slots = 1, newSlots(1)
	r.seen.when(func(e Event) bool { return e.Uploaded >= int64(n)*partSize }, change)
}

// amidParts calls change once, when two parts are acknowledged, a third one is held by
// the server, and the others have not been begun. Which parts these are is up to the
// scheduler: sent is one of the first two, unsent one of the others.
func (r *testbed) amidParts(change func(sent, unsent int)) {
	r.opts.Parallel, r.slots = 1, newSlots(1)
	held := osstest.Hang(osstest.OpUploadPart).Nth(3)
	r.inject(held)
	go func() {
		defer held.Release()
		<-held.Fired()
		seen := r.server.Requests(osstest.OpUploadPart)
		unsent := 1
		for slices.ContainsFunc(seen, func(q osstest.Request) bool { return q.PartNumber == unsent }) {
			unsent++
		}
		change(seen[0].PartNumber, unsent)
	}()
}

func TestSourceChangesWhileItIsSent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(r *testbed) error
	}{
		{"grown", func(r *testbed) error { return os.WriteFile(r.path, data(fiveParts+5, 1), 0o600) }},
		{"truncated", func(r *testbed) error { return os.Truncate(r.path, fiveParts/2) }},
		{"written", func(r *testbed) error { return os.Chtimes(r.path, time.Time{}, time.Unix(1e9, 0)) }},
		{"removed", func(r *testbed) error { return os.Remove(r.path) }},
		{"replaced", func(r *testbed) error {
			return errors.Join(os.WriteFile(r.path+"2", data(fiveParts, 2), 0o600), os.Rename(r.path+"2", r.path))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newTestbed(t, fiveParts)
			r.afterParts(2, func() {
				if err := tt.change(r); err != nil {
					t.Error(err)
				}
			})
			r.fails(ErrChanged)
			if n := r.server.Count(osstest.OpCompleteMultipartUpload); n != 0 {
				t.Errorf("completed %d times", n)
			}
			if n := r.server.Count(osstest.OpAbortMultipartUpload); n != 1 {
				t.Errorf("aborted %d times, want once", n)
			}
			r.left(0, 0)
		})
	}
}

func TestBytesChangeWhileTheyAreSent(t *testing.T) {
	t.Run("of a part that was sent: ErrFileChanged", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.amidParts(func(sent, _ int) { r.change(int64(sent-1)*partSize+10, []byte("other bytes")) })
		r.fails(ErrChanged)
		r.counts("Initiate 1, Part 5, Abort 1, List 1")
		r.left(0, 0)
	})
	t.Run("of a part that was not: the object is what the file is", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.amidParts(func(_, unsent int) { r.change(int64(unsent-1)*partSize, []byte("other bytes")) })
		r.ok()
		r.left(0, 0)
	})
	t.Run("nothing but the permissions: goes on", func(t *testing.T) {
		r := newTestbed(t, fiveParts)
		r.afterParts(2, func() {
			if err := os.Chmod(r.path, 0o644); err != nil {
				t.Error(err)
			}
		})
		r.ok()
		r.counts("Initiate 1, Part 5, Complete 1")
	})
	t.Run("of a file that is sent at once", func(t *testing.T) {
		r := newTestbed(t, 1000)
		held := osstest.Hang(osstest.OpPutObject).BeforeWork()
		r.inject(held)
		go func() {
			<-held.Fired()
			r.change(0, []byte("other bytes"))
			held.Release()
		}()
		r.fails(ErrChanged)
	})
}

// A badDisk is a source that cannot be read from some place on.
type badDisk struct {
	Source
	from  int64
	err   error
	mu    sync.Mutex
	reads map[int64]int // that failed, by where they began
}

func (s *badDisk) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) <= s.from {
		return s.Source.ReadAt(p, off)
	}
	s.mu.Lock()
	s.reads[off]++
	s.mu.Unlock()
	if off >= s.from {
		return 0, s.err
	}
	n, _ := s.Source.ReadAt(p[:s.from-off], off)
	return n, s.err
}

func (r *testbed) runSource(src Source) (Result, error) {
	return r.service().NewSession(nil).Run(r.ctx, r.job(src))
}

func TestSourceCannotBeReadHalfWay(t *testing.T) {
	for _, size := range []int{fiveParts, partSize} {
		r := newTestbed(t, size)
		r.opts.Parallel, r.slots = 1, newSlots(1)
		file := must(OpenFile(r.path))
		defer file.Close()
		src := &badDisk{Source: file, from: int64(size) / 2, err: errIO, reads: make(map[int64]int)}
		_, err := r.runSource(src)
		var we *wire.Error
		if !errors.Is(err, io.ErrClosedPipe) || !errors.As(err, &we) || we.Class != wire.Permanent {
			t.Errorf("got %v, want the disk's error, and what it stopped", err)
		}
		for off, n := range src.reads {
			if n != 1 {
				t.Errorf("the disk's error was met %d times at byte %d, want once: it is not retried", n, off)
			}
		}
		if size == fiveParts {
			if we.Part < 3 {
				t.Errorf("got part %d, want one that cannot be read", we.Part)
			}
			r.left(1, 1) // when the disk is well again, it continues
		}
	}
}

// A cutShort is truncated between the look at it and the read.
type cutShort struct {
	*fileSource
	at int64
}

func (s *cutShort) Check() error { return nil }

func (s *cutShort) ReadAt(p []byte, off int64) (int, error) {
	if off >= s.at {
		_ = os.Truncate(s.path, s.at)
	}
	return s.fileSource.ReadAt(p, off)
}

func TestSourceIsTruncatedWhileItIsRead(t *testing.T) {
	r := newTestbed(t, fiveParts)
	file := must(OpenFile(r.path)).(*fileSource)
	defer file.Close()
	_, err := r.runSource(&cutShort{file, 3 * partSize})
	if !errors.Is(err, ErrChanged) {
		t.Errorf("got %v, want %v", err, ErrChanged)
	}
	if n := r.server.Count(osstest.OpCompleteMultipartUpload); n != 0 {
		t.Errorf("completed %d times", n)
	}
	r.left(0, 0)
}

func TestSourceThatCannotBeLookedAtFailsBeforeAnythingIsSent(t *testing.T) {
	for _, size := range []int{1000, fiveParts} {
		r := newTestbed(t, size)
		src := &memSource{inMemory: data(size, 1), check: func() error { return errIO }}
		if _, err := r.runSource(src); !errors.Is(err, errIO) {
			t.Errorf("got %v, want %v", err, errIO)
		}
		r.counts("")
		r.left(0, 0)
	}
}
