package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/osstest"
)

// An oddSource does with each read what a test wants; nil is the right thing.
type oddSource struct {
	inMemory
	calls atomic.Int64
	read  func(call int64, p []byte, off int64) (int, error)
	check func(call int64) error
	size  int64 // that it says to have, if it is not that of its bytes
}

func (s *oddSource) ReadAt(p []byte, off int64) (int, error) {
	if s.read != nil {
		return s.read(s.calls.Add(1), p, off)
	}
	return s.inMemory.ReadAt(p, off)
}

func (s *oddSource) Check() error {
	if s.check != nil {
		return s.check(s.calls.Add(1))
	}
	return nil
}

func (s *oddSource) State() checkpoint.Source {
	if s.size > 0 {
		return checkpoint.Source{Size: s.size}
	}
	return s.inMemory.State()
}

// once fails the nth call and no other.
func (s *oddSource) once(nth int64, err error) {
	s.read = func(call int64, p []byte, off int64) (int, error) {
		if call == nth {
			return 0, err
		}
		return s.inMemory.ReadAt(p, off)
	}
}

func TestReadThatFailsOnce(t *testing.T) {
	passes := map[string]error{
		"EIO":                &fs.PathError{Op: "read", Path: "x", Err: syscall.EIO},
		"ESTALE":             syscall.ESTALE,
		"EAGAIN":             syscall.EAGAIN,
		"a deadline":         os.ErrDeadlineExceeded,
		"a cut answer":       fmt.Errorf("range: %w", io.ErrUnexpectedEOF),
		"a server hung up":   &url.Error{Op: "Get", URL: "http://x", Err: io.EOF},
		"a refused dial":     &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		"a cause of its own": errTorn,
	}
	fails := map[string]error{
		"ErrNotExist": fs.ErrNotExist, "EACCES": syscall.EACCES, "ErrClosed": fs.ErrClosed,
		"ErrChanged": ErrChanged, "EBADF": syscall.EBADF, "canceled": context.Canceled,
	}
	for _, size := range []int{1000, fiveParts} {
		for name, err := range passes {
			t.Run(fmt.Sprintf("%d bytes, %s: is retried", size, name), func(t *testing.T) {
				r := newTestbed(t, size)
				src := &oddSource{inMemory: data(size, 1)}
				src.once(1, err)
				if _, err := r.runSource(src); err != nil {
					t.Fatal(err)
				}
				r.same()
				told := r.seen.of(Retrying)
				if len(told) != 1 || told[0].Attempt != 1 || !errors.Is(told[0].Err, err) || len(r.seen.of(Recovered)) != 1 {
					t.Errorf("got retries %+v, want one for %v, and that it continued", told, err)
				}
				r.left(0, 0)
			})
		}
		for name, want := range fails {
			t.Run(fmt.Sprintf("%d bytes, %s: fails", size, name), func(t *testing.T) {
				r := newTestbed(t, size)
				src := &oddSource{inMemory: data(size, 1)}
				src.once(1, want)
				if _, err := r.runSource(src); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if told := r.seen.of(Retrying); len(told) > 0 {
					t.Errorf("got retries %+v, want none", told)
				}
			})
		}
	}
}

// That the source cannot be read leaves no doubt about an object.
func TestFailedReadLeavesNothingUnanswered(t *testing.T) {
	r := newTestbed(t, 0)
	r.opts.Retry.Count = 0
	src := &oddSource{inMemory: data(1000, 1)}
	src.once(1, syscall.EIO)
	session := r.service().NewSession(nil)
	if _, err := session.Run(r.ctx, r.job(src)); !errors.Is(err, syscall.EIO) || session.putUnknown {
		t.Errorf("got %v, outcome unknown %t; want EIO, and false", err, session.putUnknown)
	}
}

func TestReadThatKeepsFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, 1000)
		began := time.Now()
		b.src.read = func(int64) error { return syscall.EIO }
		_, err := b.run()
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "gave up after 3 retries") {
			t.Errorf("got %v, want EIO after 3 retries", err)
		}
		if took := time.Since(began); len(b.seen.of(Retrying)) != 3 || took < 9*time.Second {
			t.Errorf("%d retries in %v, want 3 with pauses between", len(b.seen.of(Retrying)), took)
		}
	})
}

func TestLookThatFailsOnceIsRetried(t *testing.T) {
	for _, size := range []int{1000, fiveParts} {
		r := newTestbed(t, size)
		src := &oddSource{inMemory: data(size, 1), check: func(call int64) error {
			if call%3 == 1 {
				return syscall.ESTALE
			}
			return nil
		}}
		if _, err := r.runSource(src); err != nil {
			t.Fatal(err)
		}
		r.same()
	}
}

func TestOddReadAt(t *testing.T) {
	for name, tt := range map[string]struct {
		read func(s *oddSource) func(call int64, p []byte, off int64) (int, error)
		want error // nil: the object is right
	}{
		"less than was asked for, without an error": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(_ int64, p []byte, off int64) (int, error) { return s.inMemory.ReadAt(p[:min(len(p), 777)], off) }
		}, nil},
		"nothing now and then": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(call int64, p []byte, off int64) (int, error) {
				if call%2 == 0 {
					return 0, nil
				}
				return s.inMemory.ReadAt(p, off)
			}
		}, nil},
		"nothing, for ever": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(int64, []byte, int64) (int, error) { return 0, nil }
		}, io.ErrNoProgress},
		"more than there is room for": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(_ int64, p []byte, _ int64) (int, error) { return len(p) + 1, nil }
		}, errBadCount},
		"less than nothing": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(int64, []byte, int64) (int, error) { return -1, io.EOF }
		}, errBadCount},
		"an error with all bytes": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(_ int64, p []byte, off int64) (int, error) {
				n, _ := s.inMemory.ReadAt(p, off)
				return n, fs.ErrPermission
			}
		}, fs.ErrPermission},
		"EOF before the end": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(_ int64, p []byte, off int64) (int, error) { return s.inMemory[:10].ReadAt(p, off) }
		}, io.ErrUnexpectedEOF},
		"a panic": {func(s *oddSource) func(int64, []byte, int64) (int, error) {
			return func(int64, []byte, int64) (int, error) { panic(errTorn) }
		}, errTorn},
	} {
		for _, size := range []int{1000, fiveParts} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, size), func(t *testing.T) {
				r := newTestbed(t, size)
				src := &oddSource{inMemory: data(size, 1)}
				src.read = tt.read(src)
				_, err := r.runSource(src)
				if tt.want == nil {
					if err != nil {
						t.Fatal(err)
					}
					r.same()
					return
				}
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if _, ok := r.server.Object(media, name); ok {
					t.Error("there is an object")
				}
			})
		}
	}
}

// The same holds where recorded parts are read, not sent.
func TestHashOfOddSource(t *testing.T) {
	for name, read := range map[string]func(int64, []byte, int64) (int, error){
		"nothing, for ever": func(int64, []byte, int64) (int, error) { return 0, nil },
		"a panic":           func(int64, []byte, int64) (int, error) { panic("torn") },
		"an error with all": func(_ int64, p []byte, _ int64) (int, error) { return len(p), fs.ErrPermission },
	} {
		src := guard(&oddSource{inMemory: data(1000, 1), read: read}, nil)
		if _, err := (&upload{caller: &caller{}, job: &Job{Source: src}}).hash(t.Context(), 0, 1000); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestMoreThanTheSizeSays: no object is made of a source of which more can be read.
func TestMoreThanTheSizeSays(t *testing.T) {
	for _, tt := range []struct{ has, says int }{{1, 0}, {2000, 1000}, {partSize + 1, partSize}, {fiveParts, partSize + 5}} {
		t.Run(fmt.Sprintf("%d of %d bytes: ErrChanged", tt.says, tt.has), func(t *testing.T) {
			r := newTestbed(t, 0)
			src := &lying{oddSource{inMemory: data(tt.has, 1)}, int64(tt.says)}
			_, err := r.runSource(src)
			if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), fmt.Sprintf("more can be read of it than the %d bytes", tt.says)) {
				t.Errorf("got %v, want ErrChanged that says so", err)
			}
			if _, ok := r.server.Object(media, name); ok {
				t.Error("there is an object")
			}
			if n := r.server.Count(osstest.OpCompleteMultipartUpload); n > 0 {
				t.Errorf("completed %d times", n)
			}
			r.left(0, 0)
		})
	}
}

// A lying source has more than it says.
type lying struct {
	oddSource
	says int64
}

func (s *lying) State() checkpoint.Source { return checkpoint.Source{Size: s.says} }

func TestErrorBeyondTheEnd(t *testing.T) {
	past := func(err error) *oddSource {
		s := &oddSource{inMemory: data(1000, 1)}
		failed := false
		s.read = func(_ int64, p []byte, off int64) (int, error) {
			if off == 1000 && !failed {
				failed = errors.Is(err, syscall.EIO)
				return 0, err
			}
			return s.inMemory.ReadAt(p, off)
		}
		return s
	}
	for name, err := range map[string]error{
		"of a range that cannot be": errors.New("416 range not satisfiable"), "of an invalid offset": fs.ErrInvalid,
		"that passes": syscall.EIO, "there is none": nil,
	} {
		t.Run(name+": the object is made", func(t *testing.T) {
			r := newTestbed(t, 1000)
			if _, err := r.runSource(past(err)); err != nil {
				t.Fatal(err)
			}
			r.same()
			if n := len(r.seen.of(Retrying)); n > 0 {
				t.Errorf("%d retries of a request that has all of its bytes", n)
			}
		})
	}
}

func TestOpenIsRetried(t *testing.T) {
	r := newTestbed(t, 1000)
	for _, tt := range []struct {
		err   error
		tries int
	}{{syscall.EIO, 2}, {fs.ErrNotExist, 1}, {ErrNotRegular, 1}} {
		tries := 0
		_, err := r.service().Open(r.ctx, r.job(nil), func() (Source, error) {
			if tries++; tries == 1 {
				return nil, tt.err
			}
			return inMemory{}, nil
		})
		if tries != tt.tries || (err == nil) != (tries == 2) || tries == 1 && !errors.Is(err, tt.err) {
			t.Errorf("%v: %d tries, %v; want %d", tt.err, tries, err, tt.tries)
		}
	}
	if _, err := r.service().Open(r.ctx, r.job(nil), func() (Source, error) { panic(errTorn) }); !errors.Is(err, errTorn) {
		t.Errorf("got %v, want the panic", err)
	}
}

func TestStepsNameTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Steps
		if got := s.Oldest(); got != "" {
			t.Errorf("got %q, want nothing", got)
		}
		first := s.begin("reading the source", 512)
		time.Sleep(3 * time.Second)
		second := s.begin("closing the source", -1)
		time.Sleep(time.Second)
		if got, want := s.Oldest(), "reading the source at byte 512 has not returned for 4s"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		s.end(first)
		if got, want := s.Oldest(), "closing the source has not returned for 1s"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		s.end(second)
		if got := s.Oldest(); got != "" || len(s.calls) != 2 {
			t.Errorf("got %q, %d places", got, len(s.calls))
		}
		var none *Steps
		none.end(none.begin("reading the source", 0))
	})
}
