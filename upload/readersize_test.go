package upload_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// repeated returns n bytes, no two neighbours of which are the same.
func repeated(n int) []byte {
	return bytes.Repeat([]byte("0123456789"), n/10+1)[:n]
}

func plainReader(r io.Reader) io.Reader { return r }

func TestReaderOfAKnownSize(t *testing.T) {
	for name, tt := range map[string]struct {
		size     int
		requests int // that carry bytes or make the upload
	}{
		"one byte":            {1, 1},
		"less than one part":  {50 * kib, 1},
		"exactly one part":    {100 * kib, 1},
		"one byte more":       {100*kib + 1, 4},
		"exactly three parts": {300 * kib, 5},
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"plain": plainReader, "byte by byte": iotest.OneByteReader, "the end with the last bytes": iotest.DataErrReader,
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				b := newTestbed(t)
				var totals []int64
				b.opts.Callbacks.OnStarted = func(_ *upload.Client, f upload.FileInfo) { totals = append(totals, f.Size) }
				b.opts.Callbacks.OnProgress = func(_ *upload.Client, _ upload.FileInfo, _, total int64) { totals = append(totals, total) }
				content := repeated(tt.size)
				f := b.to("r")
				f.Reader, f.Size = wrap(bytes.NewReader(content)), int64(tt.size)
				res := must(b.client().Upload(b.ctx, f))
				if res.Size != int64(tt.size) || !res.Verified {
					t.Errorf("got %d bytes, verified %t, want %d", res.Size, res.Verified, tt.size)
				}
				if got := stored(t, b, f.Object); !bytes.Equal(got, content) {
					t.Errorf("the object has %d other bytes", len(got))
				}
				if n := len(b.server.Requests()); n != tt.requests {
					t.Errorf("%d requests, want %d", n, tt.requests)
				}
				for _, total := range totals {
					if total != int64(tt.size) {
						t.Fatalf("the totals of OnStarted and OnProgress are %d, want %d from the start", totals, tt.size)
					}
				}
				b.clean()
			})
		}
	}
}

// stored returns the bytes of an object.
func stored(t *testing.T, b *testbed, object string) []byte {
	t.Helper()
	o, ok := b.server.Object(bucket, object)
	if !ok {
		t.Fatalf("there is no object %s", object)
	}
	r := must(o.Open())
	defer r.Close()
	return must(io.ReadAll(r))
}

// No object is made of a Reader that has another size, however it ends.
func TestReaderOfAnotherSize(t *testing.T) {
	for name, tt := range map[string]struct {
		has, said int
		text      string
	}{
		"none":                                {0, 10, "ended after 0 bytes, want 10"},
		"one byte less than one part":         {100*kib - 1, 100 * kib, "ended after 102399 bytes, want 102400"},
		"one byte more than one part":         {100*kib + 1, 100 * kib, "it has more, want 102400"},
		"one part of three":                   {100 * kib, 300 * kib, "ended after 102400 bytes, want 307200"},
		"one byte less than three parts":      {300*kib - 1, 300 * kib, "ended after 307199 bytes, want 307200"},
		"one byte more than three parts":      {300*kib + 1, 300 * kib, "it has more, want 307200"},
		"much more than was said":             {900 * kib, 300 * kib, "it has more, want 307200"},
		"several parts where one was said of": {900 * kib, 1, "it has more, want 1"},
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"plain": plainReader, "by halves": iotest.HalfReader, "the end with the last bytes": iotest.DataErrReader,
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				b := newTestbed(t)
				f := b.to("r")
				f.Reader, f.Size = wrap(bytes.NewReader(repeated(tt.has))), int64(tt.said)
				_, err := b.client().Upload(b.ctx, f)
				var e *upload.Error
				if !errors.As(err, &e) || !errors.Is(err, upload.ErrSizeMismatch) || e.Code != upload.CodeSizeMismatch || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("got %v, want ErrSizeMismatch with %q", err, tt.text)
				}
				if errors.Is(err, io.ErrUnexpectedEOF) != (tt.has < tt.said) {
					t.Errorf("got %v, want io.ErrUnexpectedEOF where bytes are missing", err)
				}
				if n := len(b.server.Objects(bucket)); n > 0 {
					t.Errorf("%d objects are there, want none", n)
				}
				b.clean()
			})
		}
	}
}

// A Reader that fails right behind its last byte has not ended.
func TestReaderOfAKnownSizeThatFailsAtItsEnd(t *testing.T) {
	torn := errors.New("torn")
	for _, size := range []int{10, 200 * kib} {
		b := newTestbed(t)
		f := b.to("r")
		f.Reader, f.Size = io.MultiReader(bytes.NewReader(repeated(size)), iotest.ErrReader(torn)), int64(size)
		if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, torn) {
			t.Errorf("%d bytes: got %v, want the Reader's error", size, err)
		}
		if n := len(b.server.Objects(bucket)); n > 0 {
			t.Errorf("%d bytes: %d objects are there, want none", size, n)
		}
		b.clean()
	}
}

// A largest remembers the largest buffer that it was asked to fill.
type largest struct {
	io.Reader
	asked int
	given int64 // all that it gave
}

func (l *largest) Read(p []byte) (int, error) {
	l.asked = max(l.asked, len(p))
	n, err := l.Reader.Read(p)
	l.given += int64(n)
	return n, err
}

func TestReaderOfAKnownSizeTakesNoLargerBuffer(t *testing.T) {
	b := newTestbed(t)
	b.opts.PartSize = 64 << 20
	f := b.to("r")
	r := &largest{Reader: bytes.NewReader(repeated(1000))}
	f.Reader, f.Size = r, 1000
	must(b.client().Upload(b.ctx, f))
	if r.asked != 1000 {
		t.Errorf("%d bytes were asked for, want 1000", r.asked)
	}
}

// What somebody announces takes no memory before it comes.
func TestAnnouncedBytesTakeNoMemory(t *testing.T) {
	b := newTestbed(t)
	f := b.to("r")
	r := &largest{Reader: strings.NewReader("no more than this")}
	f.Reader, f.Size = r, 40e12 // parts of 4 GB
	want := upload.ErrSizeMismatch
	if math.MaxInt == math.MaxInt32 { // which cannot be in memory
		want = upload.ErrInvalidArgument
	}
	if _, err := b.client().Upload(b.ctx, f); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	if r.asked > 1<<20 {
		t.Errorf("a buffer of %d bytes was filled, want at most 1 MiB", r.asked)
	}
	b.clean()
}

// Parts that are larger than the first buffer are whole all the same.
func TestLargePartsOfAReader(t *testing.T) {
	for _, size := range []int{3<<20 - 1, 3 << 20, 3<<20 + 1, 12<<20 + 5} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{"plain": plainReader, "by halves": iotest.HalfReader} {
			b := newTestbed(t)
			b.opts.PartSize, b.opts.Parallel = 3<<20, 2
			content := repeated(size)
			for _, said := range []int64{0, int64(size)} {
				f := b.to("r")
				f.Reader, f.Size = wrap(bytes.NewReader(content)), said
				res := must(b.client().Upload(b.ctx, f))
				if got := stored(t, b, f.Object); !bytes.Equal(got, content) || res.Parts != (size+(3<<20)-1)/(3<<20) {
					t.Errorf("%d bytes, %s: the object has %d other bytes in %d parts", size, how, len(got), res.Parts)
				}
			}
		}
	}
}

// endless gives bytes for ever.
type endless struct{}

func (*endless) Read(p []byte) (int, error) { return len(p), nil }

func TestPartsOfALargeReaderFit(t *testing.T) {
	b := newTestbed(t)
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	var parts int64
	b.opts.Callbacks.OnProgress = func(_ *upload.Client, f upload.FileInfo, _, _ int64) {
		if parts = f.PartSize; parts > 0 {
			cancel()
		}
	}
	f := b.to("r")
	f.Reader, f.Size = io.LimitReader(&endless{}, 2<<30), 2<<30 // 20,972 parts of 100 KiB
	_, err := b.client().Upload(ctx, f)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if parts != 256*kib {
		t.Errorf("parts of %d bytes, want %d: 10,000 have to hold the Reader", parts, 256*kib)
	}
	b.clean()
}

// Only a Reader is given its size, and a bad one is refused before anything is sent.
func TestSizeIsRefused(t *testing.T) {
	b := newTestbed(t)
	file := b.file("a", 10)
	inFS, source, reader := b.to("fs"), b.to("s"), b.to("r")
	inFS.FS = fstest.MapFS{inFS.Path: {Data: make([]byte, 10)}}
	source.Source = upload.NewSource(bytes.NewReader(make([]byte, 10)), 10, "v1")
	reader.Reader = strings.NewReader("0123456789")
	for name, tt := range map[string]struct {
		f    upload.File
		size int64
	}{
		"with a path":    {file, 10},
		"with an FS":     {inFS, 10},
		"with a Source":  {source, 10},
		"negative":       {reader, -1},
		"more than OSS":  {reader, math.MaxInt64},
		"negative, path": {file, -1},
	} {
		t.Run(name, func(t *testing.T) {
			tt.f.Size = tt.size
			_, err := b.client().AddFile(tt.f)
			if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), "File.Size") {
				t.Errorf("got %v, want ErrInvalidArgument that names File.Size", err)
			}
		})
	}
	if n := len(b.server.Requests()); n > 0 {
		t.Errorf("%d requests, want none", n)
	}
}

// A Reader of a known size resumes after Pause as any other.
func TestReaderOfAKnownSizeResumes(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 1
	hold := osstest.Hang(osstest.OpUploadPart).Nth(2)
	b.server.Inject(hold)
	c := b.client()
	content := repeated(300 * kib)
	f := b.to("r")
	f.Reader, f.Size = bytes.NewReader(content), int64(len(content))
	must(c.AddFile(f))
	check(b, c.Start(b.ctx))
	<-hold.Fired()
	check(b, c.Pause())
	check(b, c.Resume())
	check(b, c.Wait(b.ctx))
	if got := stored(t, b, f.Object); !bytes.Equal(got, content) {
		t.Errorf("the object has %d other bytes", len(got))
	}
	b.clean()
}

// The memory of a large Reader is that of its parts in flight, and one more.
func TestReaderIsNotHeldInMemory(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 2
	f := b.to("r")
	r := &largest{Reader: io.LimitReader(&endless{}, 4<<20)}
	f.Reader, f.Size = r, 4<<20
	hold := osstest.Hang(osstest.OpUploadPart).Nth(1)
	second := osstest.Hang(osstest.OpUploadPart).Nth(2)
	b.server.Inject(hold, second)
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = b.client().Upload(ctx, f)
	}()
	<-hold.Fired()
	<-second.Fired()
	cancel()
	<-done
	if most := int64(3*100*kib + 1); r.given > most {
		t.Errorf("%d bytes were read while two parts hang, want at most %d", r.given, most)
	}
}
