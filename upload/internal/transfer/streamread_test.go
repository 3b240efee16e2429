package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/vodupload/vodupload/upload/internal/tasks"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A script is a reader that returns what it says, a step for each Read, and counts
// the calls that come after its end.
type script struct {
	steps []reading
	late  int
}

type reading struct {
	n   int // bytes
	err error
	do  func() // instead; may be nil
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		s.late++
		return 0, io.EOF // as a reader does that forgets its error
	}
	now := s.steps[0]
	s.steps = s.steps[1:]
	if now.do != nil {
		now.do()
	}
	return now.n, now.err
}

var errTorn = errors.New("tape torn")

// TestOnlyEOFEndsAStream: whatever else a reader returns fails the upload with it,
// leaves nothing, and is the last that the reader is asked for.
func TestOnlyEOFEndsAStream(t *testing.T) {
	const half, whole = partSize / 2, partSize
	for name, tt := range map[string]struct {
		steps []reading
		want  error // nil: an object of size bytes
		size  int
	}{
		"EOF":                               {[]reading{{n: half}, {err: io.EOF}}, nil, half},
		"EOF with the last bytes":           {[]reading{{n: half, err: io.EOF}}, nil, half},
		"EOF with the last of a whole part": {[]reading{{n: whole}, {n: whole, err: io.EOF}}, nil, 2 * whole},
		"unexpected EOF":                    {[]reading{{n: half}, {err: io.ErrUnexpectedEOF}}, io.ErrUnexpectedEOF, 0},
		"unexpected EOF with bytes":         {[]reading{{n: half, err: io.ErrUnexpectedEOF}}, io.ErrUnexpectedEOF, 0},
		"unexpected EOF with a whole part":  {[]reading{{n: whole, err: io.ErrUnexpectedEOF}}, io.ErrUnexpectedEOF, 0},
		"unexpected EOF at a part's end":    {[]reading{{n: whole}, {err: io.ErrUnexpectedEOF}}, io.ErrUnexpectedEOF, 0},
		"unexpected EOF of a second part":   {[]reading{{n: whole}, {n: half}, {err: io.ErrUnexpectedEOF}}, io.ErrUnexpectedEOF, 0},
		"unexpected EOF as the first":       {[]reading{{err: io.ErrUnexpectedEOF}}, io.ErrUnexpectedEOF, 0},
		"a wrapped EOF":                     {[]reading{{n: half, err: fmt.Errorf("gateway: %w", io.EOF)}}, io.EOF, 0},
		"another error, once":               {[]reading{{n: half}, {err: errTorn}, {n: half}}, errTorn, 0},
		"another error with bytes":          {[]reading{{n: whole}, {n: whole}, {n: whole}, {n: half, err: errTorn}}, errTorn, 0},
		"nothing, for ever":                 {make([]reading, 200), io.ErrNoProgress, 0},
		"nothing, and then something":       {append(make([]reading, maxEmpty-1), reading{n: half}, reading{}, reading{err: io.EOF}), nil, half},
		"more than there was room for":      {[]reading{{n: whole + 1}}, errBadCount, 0},
		"less than nothing":                 {[]reading{{n: half}, {n: -1}}, errBadCount, 0},
		"a panic":                           {[]reading{{n: whole}, {do: func() { panic(errTorn) }}}, errTorn, 0},
		"a panic of no error":               {[]reading{{do: func() { panic("torn") }}}, errPanic, 0},
		"the end of its goroutine":          {[]reading{{n: whole}, {do: runtime.Goexit}}, tasks.ErrGoexit, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTestbed(t, 0)
			reader := &script{steps: tt.steps}
			st := NewStream(reader)
			res, err := r.stream(r.ctx, st)
			if tt.want == nil {
				if err != nil || res.Size != int64(tt.size) || len(r.content()) != tt.size {
					t.Fatalf("got %d bytes, %v; want %d", res.Size, err, tt.size)
				}
				return
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if _, again := r.stream(r.ctx, st); !errors.Is(again, tt.want) {
				t.Errorf("asked once more: got %v, want %v", again, tt.want)
			}
			if reader.late > 0 {
				t.Errorf("the reader was asked %d times after its error", reader.late)
			}
			if _, ok := r.server.Object(media, name); ok {
				t.Error("there is an object")
			}
			r.left(0, 0)
			if n := r.server.Count(osstest.OpCompleteMultipartUpload) + r.server.Count(osstest.OpPutObject); n > 0 {
				t.Errorf("%d requests to make an object", n)
			}
		})
	}
}

func TestPanicOfAReaderSaysWhere(t *testing.T) {
	r := newTestbed(t, 0)
	var none map[string]int
	_, err := r.stream(r.ctx, NewStream(&script{steps: []reading{{do: func() { none["x"] = 1 }}}}))
	if err == nil || !strings.Contains(err.Error(), "Read of the source panicked: assignment to entry in nil map (streamread_test.go:") {
		t.Errorf("got %v, want the panic, and where it was", err)
	}
}

// The parts in flight of a reader that has failed are not waited for.
func TestFailedReaderEndsThePartsInFlight(t *testing.T) {
	r := newTestbed(t, 0)
	f := hang(osstest.OpUploadPart)
	r.server.Inject(f)
	_, err := r.stream(r.ctx, NewStream(&script{steps: []reading{{n: partSize}, {do: func() { <-f.Fired() }, err: errTorn}}}))
	if !errors.Is(err, errTorn) || strings.Contains(err.Error(), "UploadPart") {
		t.Errorf("got %v, want %v and no more", err, errTorn)
	}
	r.left(0, 0)
}

// A busyReader fails the test if it is closed while it reads, or twice.
type busyReader struct {
	t       *testing.T
	entered chan struct{}
	leave   chan struct{}
	inside  atomic.Bool
	closed  atomic.Int32
}

func newBusyReader(t *testing.T) *busyReader {
	return &busyReader{t: t, entered: make(chan struct{}, 1), leave: make(chan struct{})}
}

func (r *busyReader) Read(p []byte) (int, error) {
	r.inside.Store(true)
	defer r.inside.Store(false)
	r.entered <- struct{}{}
	<-r.leave
	return len(p), nil
}

func (r *busyReader) Close() error {
	if r.inside.Load() {
		r.t.Error("closed while it reads")
	}
	r.closed.Add(1)
	return nil
}

func TestReaderIsClosedAfterItsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBusyReader(t)
		st := NewStream(r)
		st.size = partSize
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-r.entered
			cancel(errPause)
		}()
		if _, err := st.next(ctx); !errors.Is(err, errPause) {
			t.Errorf("got %v, want %v", err, errPause)
		}
		st.Close()
		st.Close()
		synctest.Wait()
		if n := r.closed.Load(); n != 0 {
			t.Errorf("closed %d times before its Read returned", n)
		}
		close(r.leave)
		<-st.Closed()
		st.Close()
		synctest.Wait()
		if n := r.closed.Load(); n != 1 {
			t.Errorf("closed %d times, want once", n)
		}
	})
}

func TestClosedStreamIsNotRead(t *testing.T) {
	for name, reader := range map[string]io.Reader{
		"a reader":                    &script{},
		"a closer":                    newBusyReader(t),
		"a closer whose Close panics": struct{ io.ReadCloser }{},
	} {
		t.Run(name, func(t *testing.T) {
			st := NewStream(reader)
			st.size = partSize
			st.Close()
			<-st.Closed()
			if _, err := st.next(t.Context()); err == nil || !strings.Contains(err.Error(), "closed") {
				t.Errorf("got %v, want that it is closed", err)
			}
			if s, ok := reader.(*script); ok && s.late > 0 {
				t.Error("it was read")
			}
		})
	}
}

func TestCheckBuffers(t *testing.T) {
	const gib = 1 << 30
	for _, tt := range []struct {
		part     int64
		parallel int
		maxInt   int64
		ok       bool
	}{
		{1 << 20, 5, math.MaxInt32, true},
		{340 << 20, 5, math.MaxInt32, true},
		{342 << 20, 5, math.MaxInt32, false}, // six of them
		{3 * gib, 1, math.MaxInt32, false},
		{MaxPartSize, 1, math.MaxInt32, false},
		{MaxPartSize, 1000, math.MaxInt64, true},
	} {
		if err := CheckBuffers(tt.part, tt.parallel, tt.maxInt); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes, %d requests, up to %d: got %v", tt.part, tt.parallel, tt.maxInt, err)
		}
	}
}
