package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A sectionSource is read by sections. The first call of Section does what first does,
// if that is not nil.
type sectionSource struct {
	data  []byte
	first func(ctx context.Context, off, n int64) (io.ReadCloser, error)

	mu       sync.Mutex
	sections []int64 // the offsets
	reads    []int64 // those of ReadAt
	open     int
	largest  int // buffer that was read into
}

func (s *sectionSource) Size() int64         { return int64(len(s.data)) }
func (s *sectionSource) Fingerprint() string { return "v1" }

func (s *sectionSource) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	s.reads = append(s.reads, off)
	s.mu.Unlock()
	return bytes.NewReader(s.data).ReadAt(p, off)
}

func (s *sectionSource) Section(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	s.mu.Lock()
	s.sections = append(s.sections, off)
	s.open++
	first := s.first
	s.first = nil
	s.mu.Unlock()
	if first == nil {
		return s.body(bytes.NewReader(s.data[off : off+n])), nil
	}
	r, err := first(ctx, off, n)
	if r == nil {
		s.mu.Lock()
		s.open--
		s.mu.Unlock()
		return nil, err
	}
	return s.body(r), err
}

func (s *sectionSource) body(r io.Reader) io.ReadCloser { return &countedBody{Reader: r, of: s} }

// A countedBody must be closed once.
type countedBody struct {
	io.Reader
	of *sectionSource
}

func (b *countedBody) Read(p []byte) (int, error) {
	b.of.mu.Lock()
	b.of.largest = max(b.of.largest, len(p))
	b.of.mu.Unlock()
	return b.Reader.Read(p)
}

func (b *countedBody) Close() error {
	b.of.mu.Lock()
	b.of.open--
	b.of.mu.Unlock()
	if c, ok := b.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// check compares the calls with what is wanted; -1 is any number of sections.
func (s *sectionSource) check(t *testing.T, sections int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if sections >= 0 && len(s.sections) != sections {
		t.Errorf("Section was called %d times, want %d: at %v", len(s.sections), sections, s.sections)
	}
	if s.open != 0 {
		t.Errorf("%d bodies are open, want 0", s.open)
	}
	for _, off := range s.reads {
		if off < s.Size() {
			t.Errorf("ReadAt was called at %d, want none but at the end", off)
		}
	}
}

func pattern(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i * 7 / 3)
	}
	return data
}

func (b *testbed) sections(size int) (upload.File, *sectionSource) {
	s := &sectionSource{data: pattern(size)}
	f := b.to("s.mp4")
	f.Source = s
	return f, s
}

func TestSectionIsCalledOnceForEachPart(t *testing.T) {
	for _, parts := range []int{1, 2, 32} {
		b := newTestbed(t)
		f, s := b.sections(parts*100*kib - 7)
		r, err := b.client().Upload(b.ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		if r.Parts != parts || !bytes.Equal(b.content("s.mp4"), s.data) {
			t.Errorf("got %d parts, want %d; or the object has other bytes", r.Parts, parts)
		}
		s.check(t, parts)
		b.clean()
	}
	t.Run("never for no bytes", func(t *testing.T) {
		b := newTestbed(t)
		f, s := b.sections(0)
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		s.check(t, 0)
	})
}

func TestSectionIsNotHeldInMemory(t *testing.T) {
	b := newTestbed(t)
	b.opts.PartSize = 4 * mib
	f, s := b.sections(8 * mib)
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	s.check(t, 2)
	if s.largest > 256*kib {
		t.Errorf("a section was read by %d bytes at a time, want 256 KiB at most", s.largest)
	}
}

func TestRetryOpensANewSection(t *testing.T) {
	for _, c := range []struct {
		op    osstest.Op
		parts int
	}{{osstest.OpUploadPart, 4}, {osstest.OpPutObject, 1}} {
		b := newTestbed(t)
		b.server.Inject(osstest.Fail(c.op, 500, "InternalError"))
		f, s := b.sections(c.parts * 100 * kib)
		if _, err := b.client().Upload(b.ctx, f); err != nil {
			t.Fatal(err)
		}
		s.check(t, c.parts+1)
		if !bytes.Equal(b.content("s.mp4"), s.data) {
			t.Error("the object has other bytes")
		}
		b.server.AssertFired(t)
	}
}

func TestResumeReadsOneSectionOfThePartsThatWereSent(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 1
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(6))
	f, s := b.sections(800 * kib)
	if _, err := b.client().Upload(b.ctx, f); err == nil {
		t.Fatal("want the error of part 6")
	}
	s.sections = nil
	r, err := b.client().Upload(b.ctx, f)
	if err != nil {
		t.Fatal(err)
	}
	if r.ResumedParts < 5 || !bytes.Equal(b.content("s.mp4"), s.data) {
		t.Errorf("resumed %d parts, want 5 at least; or the object has other bytes", r.ResumedParts)
	}
	// A sample, the rest, and what the server got as the first run ended: that was never
	// acknowledged, and is compared.
	s.check(t, -1)
	if n, least := len(s.sections), 1+8-r.ResumedParts; n < least || n > least+r.ResumedParts-5 {
		t.Errorf("Section was called %d times, want %d and at most %d more", n, least, r.ResumedParts-5)
	}
	b.clean()
}

type tooMuch struct{ error }

func (tooMuch) RetryAfter() time.Duration { return 30 * time.Millisecond }

// A typedNil is what a function returns that has a pointer type and no value.
type typedNil struct{ io.Reader }

func (n *typedNil) Close() error { return n.Reader.(io.Closer).Close() }

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestSectionThatIsNotWhatWasAskedFor(t *testing.T) {
	at := func(r io.Reader) func([]byte, int64, int64) (io.ReadCloser, error) {
		return func([]byte, int64, int64) (io.ReadCloser, error) { return io.NopCloser(r), nil }
	}
	fail := func(err error) func([]byte, int64, int64) (io.ReadCloser, error) {
		return func([]byte, int64, int64) (io.ReadCloser, error) { return nil, err }
	}
	bytesThen := func(after int64, err error) func([]byte, int64, int64) (io.ReadCloser, error) {
		return func(data []byte, off, n int64) (io.ReadCloser, error) {
			rest := readFunc(func([]byte) (int, error) { return 0, err })
			return io.NopCloser(io.MultiReader(bytes.NewReader(data[off:off+n+after]), rest)), nil
		}
	}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		open func(data []byte, off, n int64) (io.ReadCloser, error)
		want error  // nil: it passes with a retry
		text string // of the error
	}{
		"passes: it is short": {open: bytesThen(-1, io.EOF)},
		"passes: it is empty": {open: at(bytes.NewReader(nil))},
		"passes: it breaks":   {open: bytesThen(-1, syscall.ECONNRESET)},
		"passes: all bytes, then an error in place of the end": {open: bytesThen(0, broken)},
		"passes: a wrapped end":                                {open: bytesThen(-9, fmt.Errorf("body: %w", io.EOF))},
		"passes: an error":                                     {open: fail(broken)},
		"passes: an error that names a pause":                  {open: fail(tooMuch{broken})},
		"passes: a timeout":                                    {open: fail(context.DeadlineExceeded)},
		"passes: a reader and an error": {open: func([]byte, int64, int64) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("x")), broken
		}},
		"it is longer":      {open: bytesThen(1, io.EOF), want: nil, text: "does the server support ranges?"},
		"it never ends":     {open: at(readFunc(func(p []byte) (int, error) { return len(p), nil })), text: "does the server support ranges?"},
		"it has no bytes":   {open: at(readFunc(func([]byte) (int, error) { return 0, nil })), want: io.ErrNoProgress},
		"neither":           {open: fail(nil), text: "neither a reader nor an error"},
		"a typed nil":       {open: func([]byte, int64, int64) (io.ReadCloser, error) { return (*typedNil)(nil), nil }, text: "panicked"},
		"too many bytes":    {open: at(readFunc(func(p []byte) (int, error) { return len(p) + 1, nil })), text: "invalid number of bytes"},
		"a negative count":  {open: at(readFunc(func([]byte) (int, error) { return -1, nil })), text: "invalid number of bytes"},
		"a panic of Read":   {open: at(readFunc(func([]byte) (int, error) { panic("torn") })), text: "panicked: torn"},
		"Goexit in Read":    {open: at(readFunc(func([]byte) (int, error) { runtime.Goexit(); return 0, nil })), text: "Goexit"},
		"a panic":           {open: func([]byte, int64, int64) (io.ReadCloser, error) { panic("torn") }, text: "panicked: torn"},
		"ErrFileChanged":    {open: fail(fmt.Errorf("412: %w", upload.ErrFileChanged)), want: upload.ErrFileChanged},
		"ErrFileNotExist":   {open: fail(fmt.Errorf("404: %w", upload.ErrFileNotExist)), want: upload.ErrFileNotExist},
		"gone in the midst": {open: bytesThen(-1, upload.ErrFileNotExist), want: upload.ErrFileNotExist},
		"not permitted":     {open: fail(fs.ErrPermission), want: fs.ErrPermission},
	} {
		for _, parts := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s, %d parts", name, parts), func(t *testing.T) {
				b := newTestbed(t)
				b.opts.Parallel = 1
				f, s := b.sections(parts * 100 * kib)
				s.first = func(_ context.Context, off, n int64) (io.ReadCloser, error) {
					return c.open(append(s.data, 0), off, n)
				}
				var pause time.Duration
				b.opts.Callbacks.OnRetry = func(_ *upload.Client, _ upload.FileInfo, r upload.Retry) { pause = r.Delay }
				_, err := b.client().Upload(b.ctx, f)
				if strings.HasPrefix(name, "passes") {
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(b.content("s.mp4"), s.data) {
						t.Error("the object has other bytes")
					}
					if pause == 0 || strings.Contains(name, "pause") && pause < 30*time.Millisecond {
						t.Errorf("the pause before the retry was %v", pause)
					}
					s.check(t, parts+1)
					return
				}
				if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
					t.Fatalf("got %v, want %v %q", err, c.want, c.text)
				}
				if strings.Contains(err.Error(), "gave up after") {
					t.Errorf("it was retried: %v", err)
				}
				if _, there := b.server.Object(bucket, "s.mp4"); there {
					t.Error("an object was made")
				}
				if name != "a panic" { // which opened nothing
					s.check(t, -1) // another part may have begun
				}
			})
		}
	}
}

func TestPanicOfCloseOfASectionDoesNotMatter(t *testing.T) {
	b := newTestbed(t)
	f, s := b.sections(300 * kib)
	s.first = func(_ context.Context, off, n int64) (io.ReadCloser, error) {
		return struct {
			io.Reader
			io.Closer
		}{bytes.NewReader(s.data[off : off+n]), (*typedNil)(nil)}, nil
	}
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	s.check(t, 3)
}

// held returns a section that gives half of its bytes, reports it, and then waits for the
// end of its context.
func held(s *sectionSource, reached chan<- struct{}) func(context.Context, int64, int64) (io.ReadCloser, error) {
	return func(ctx context.Context, off, n int64) (io.ReadCloser, error) {
		wait := readFunc(func([]byte) (int, error) {
			close(reached)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		return io.NopCloser(io.MultiReader(bytes.NewReader(s.data[off:off+n/2]), wait)), nil
	}
}

func TestSectionEndsWithItsAttempt(t *testing.T) {
	t.Parallel() // it waits most of the time
	for _, parts := range []int{1, 3} {
		t.Run(fmt.Sprintf("the source stalls, %d parts", parts), func(t *testing.T) {
			b := newTestbed(t)
			b.opts.StallTimeout = 500 * time.Millisecond
			b.opts.Parallel = 1
			var texts []string
			b.opts.Callbacks.OnRetry = func(_ *upload.Client, _ upload.FileInfo, r upload.Retry) { texts = append(texts, r.Err.Error()) }
			f, s := b.sections(parts * 100 * kib)
			s.first = held(s, make(chan struct{}))
			if _, err := b.client().Upload(b.ctx, f); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, "the source is too slow") }) {
				t.Errorf("retries: %q, want one that blames the source", texts)
			}
			if !bytes.Equal(b.content("s.mp4"), s.data) {
				t.Error("the object has other bytes")
			}
			if s.open != 0 {
				t.Errorf("%d bodies are open", s.open)
			}
		})
		t.Run(fmt.Sprintf("canceled, %d parts", parts), func(t *testing.T) {
			b := newTestbed(t)
			f, s := b.sections(parts * 100 * kib)
			reached := make(chan struct{})
			s.first = held(s, reached)
			c := b.client()
			id := must(c.AddFile(f))
			start(t, b, c)
			<-reached
			if err := c.CancelFile(id); err != nil {
				t.Fatal(err)
			}
			_ = c.Wait(b.ctx)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if s.open != 0 {
				t.Errorf("%d bodies are open", s.open)
			}
			b.clean()
		})
		t.Run(fmt.Sprintf("the server has refused the request, %d parts", parts), func(t *testing.T) {
			b := newTestbed(t)
			op := osstest.OpUploadPart
			if parts == 1 {
				op = osstest.OpPutObject
			}
			b.opts.Parallel = 1
			b.server.Inject(osstest.Fail(op, 403, "AccessDenied").BeforeBody())
			b.opts.PartSize = mib // of less, net/http's server reads the rest before it answers
			f, s := b.sections(parts * mib)
			s.first = held(s, make(chan struct{}))
			b.opts.StallTimeout = time.Hour
			var e *upload.Error
			if _, err := b.client().Upload(b.ctx, f); !errors.As(err, &e) || e.Code != "AccessDenied" {
				t.Errorf("got %v, want AccessDenied", err)
			}
			if s.open != 0 {
				t.Errorf("%d bodies are open", s.open)
			}
		})
	}
}

func TestSectionsAreThoseOfTheParts(t *testing.T) {
	b := newTestbed(t)
	f, s := b.sections(10*100*kib + 1)
	if _, err := b.client().Upload(b.ctx, f); err != nil {
		t.Fatal(err)
	}
	slices.Sort(s.sections)
	for i, off := range s.sections {
		if off != int64(i)*100*kib {
			t.Fatalf("sections at %v", s.sections)
		}
	}
	s.check(t, 11)
}

// TestPauseWhileASectionIsCompared: an error that comes because the run was interrupted
// does not fail the file.
func TestPauseWhileASectionIsCompared(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 1
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied").Nth(3))
	f, s := b.sections(400 * kib)
	if _, err := b.client().Upload(b.ctx, f); err == nil {
		t.Fatal("want the error of part 3")
	}
	reached := make(chan struct{})
	s.first = func(ctx context.Context, _, _ int64) (io.ReadCloser, error) {
		close(reached)
		<-ctx.Done()
		return nil, fs.ErrClosed
	}
	c := b.client()
	id := must(c.AddFile(f))
	start(t, b, c)
	<-reached
	if err := c.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := c.Resume(); err != nil {
		t.Fatal(err)
	}
	if r, err := c.WaitFile(b.ctx, id); err != nil || r.ResumedParts < 2 {
		t.Errorf("got %+v, %v, want 2 parts resumed at least", r, err)
	}
	b.clean()
}
