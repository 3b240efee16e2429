package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// TestReaderThatBreaksOff: bodies and archives that end too early say so with
// io.ErrUnexpectedEOF, and must not become objects.
func TestReaderThatBreaksOff(t *testing.T) {
	body := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "400000")
		_, _ = w.Write(make([]byte, 150_000))
	})
	form := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + strings.Repeat("x", 50_000)
	for name, open := range map[string]func() (io.Reader, error){
		"the body of an answer": func() (io.Reader, error) {
			res, err := http.Get(body)
			if err != nil {
				return nil, err
			}
			return res.Body, nil
		},
		"a part of a form": func() (io.Reader, error) {
			return multipart.NewReader(strings.NewReader(form), "b").NextPart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestbed(t)
			f := b.to("r")
			f.Reader = must(open())
			_, err := b.client().Upload(b.ctx, f)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want io.ErrUnexpectedEOF", err)
			}
			if n := len(b.server.Objects(bucket)); n > 0 {
				t.Errorf("%d objects are there, want none", n)
			}
			b.clean()
		})
	}
}

// A counted reader counts how often it is closed, and whether that is while it reads.
type counted struct {
	io.Reader
	reading atomic.Bool
	closes  atomic.Int32
	amid    atomic.Bool
}

func (r *counted) Read(p []byte) (int, error) {
	r.reading.Store(true)
	defer r.reading.Store(false)
	return r.Reader.Read(p)
}

func (r *counted) Close() error {
	r.closes.Add(1)
	if r.reading.Load() {
		r.amid.Store(true)
	}
	return nil
}

// A gated reader gives so many bytes, and then waits until it is let go.
type gated struct {
	rest    int
	waits   chan struct{}
	goOn    chan struct{}
	waiting sync.Once
}

func newGated(n int) *gated {
	return &gated{rest: n, waits: make(chan struct{}), goOn: make(chan struct{})}
}

func (r *gated) Read(p []byte) (int, error) {
	if r.rest == 0 {
		r.waiting.Do(func() { close(r.waits) })
		<-r.goOn
		return 0, io.EOF
	}
	n := min(r.rest, len(p))
	r.rest -= n
	return n, nil
}

// TestReaderIsClosedOnce, in each way in which a file can end, and not while a Read of
// it is under way.
func TestReaderIsClosedOnce(t *testing.T) {
	type upl struct {
		b  *testbed
		c  *upload.Client
		id upload.FileID
	}
	for name, tt := range map[string]struct {
		during bool // a Read
		end    func(u upl) error
	}{
		"success":            {false, func(u upl) error { return u.c.Wait(u.b.ctx) }},
		"Close":              {true, func(u upl) error { return nil }},
		"CancelFile":         {true, func(u upl) error { return u.c.CancelFile(u.id) }},
		"DeleteFile":         {true, func(u upl) error { return u.c.DeleteFile(u.id) }},
		"Pause, CancelFile":  {true, func(u upl) error { return errors.Join(u.c.Pause(), u.c.CancelFile(u.id)) }},
		"Stop, DeleteFile":   {true, func(u upl) error { return errors.Join(u.c.Stop(), u.c.DeleteFile(u.id)) }},
		"success, delete":    {false, func(u upl) error { return errors.Join(u.c.Wait(u.b.ctx), u.c.DeleteFile(u.id)) }},
		"ClearFiles, twice":  {true, func(u upl) error { return errors.Join(u.c.ClearFiles(), u.c.ClearFiles()) }},
		"Stop, Close of all": {true, func(u upl) error { return u.c.Stop() }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // Close gives a Read a second
				b := newDirectTestbed(t)
				g := newGated(250 * kib)
				r := &counted{Reader: g}
				f := b.to("r")
				f.Endpoint, f.Reader = directEndpoint, r
				c := b.client()
				id := b.add(c, f)[0]
				start(t, b, c)
				<-g.waits
				if !tt.during {
					close(g.goOn)
				}
				if err := tt.end(upl{b, c, id}); err != nil {
					t.Error(err)
				}
				if tt.during {
					if n := r.closes.Load(); n > 0 {
						t.Errorf("closed %d times while a Read is under way", n)
					}
					time.AfterFunc(20*time.Millisecond, func() { close(g.goOn) })
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
				if n := r.closes.Load(); n != 1 || r.amid.Load() {
					t.Errorf("closed %d times, in the middle of a Read %t; want once, and not", n, r.amid.Load())
				}
				b.clean()
			})
		})
	}
}

// A form part must not be closed while it is read: its Close reads the rest.
func TestDeadlineWhileAFormPartIsRead(t *testing.T) {
	for range 5 {
		b := newTestbed(t)
		pr, pw := io.Pipe()
		go func() {
			_, _ = io.WriteString(pw, "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n")
			for {
				if _, err := pw.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		}()
		f := b.to("r")
		f.Reader = must(multipart.NewReader(pr, "b").NextPart())
		ctx, cancel := context.WithTimeout(b.ctx, 30*time.Millisecond)
		if _, err := b.client().Upload(ctx, f); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		cancel()
		_ = pr.Close()
	}
}

func TestReaderWhosePartsDoNotFitIntoMemory(t *testing.T) {
	b := newTestbed(t)
	b.opts.PartSize = 3 << 30
	f := b.to("r")
	f.Reader = bytes.NewReader(nil)
	_, err := b.client().AddFile(f)
	if refused := errors.Is(err, upload.ErrInvalidArgument); refused != (math.MaxInt == math.MaxInt32) {
		t.Errorf("got %v on a system of %d bits", err, 32<<(^uint(0)>>63))
	}
}

func TestPanicOfAReaderFailsItsFile(t *testing.T) {
	b := newTestbed(t)
	f := b.to("r")
	f.Reader = io.MultiReader(bytes.NewReader(make([]byte, 250*kib)), panicking{})
	if _, err := b.client().Upload(b.ctx, f); err == nil || !strings.Contains(err.Error(), "Read of the source panicked: torn (reader_test.go:") {
		t.Errorf("got %v, want the panic", err)
	}
	b.clean()
	if b.server.Count(osstest.OpAbortMultipartUpload) == 0 {
		t.Error("the upload was not aborted")
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("torn") }

func TestReaderOfAnyLength(t *testing.T) {
	for _, size := range []int{0, 1, 100*kib - 1, 100 * kib, 100*kib + 1, 200 * kib, 1234567} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := newTestbed(t)
			data := must(os.ReadFile(b.file("a", size).Path))
			f := b.to("r")
			r := &closer{Reader: iotest.OneByteReader(bytes.NewReader(data[:min(size, 10)])), rest: bytes.NewReader(data[min(size, 10):])}
			f.Reader = r
			var total int64
			b.opts.Callbacks.OnProgress = func(_ *upload.Client, f upload.FileInfo, uploaded, n int64) {
				if n >= 0 && uploaded > n {
					t.Errorf("%d of %d bytes", uploaded, n)
				}
				total = n
			}
			c := b.client()
			res, err := c.Upload(b.ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.content("r"), data) || res.Size != int64(size) || !res.Verified || total != int64(size) {
				t.Errorf("got %+v, last total %d, want size %d", res, total, size)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if !r.closed {
				t.Error("the reader was not closed")
			}
			b.clean()
		})
	}
}

// A closer is a reader in two halves that takes note of its end.
type closer struct {
	io.Reader
	rest   io.Reader
	closed bool
}

func TestReaderSurvivesFaultsAndPause(t *testing.T) {
	b := newTestbed(t)
	b.server.Inject(
		osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Nth(2).Times(2),
		osstest.Reset(osstest.OpUploadPart).InBody(1000).Nth(5),
	)
	data := must(os.ReadFile(b.file("a", 3*mib).Path))
	f := b.to("r")
	f.Reader = bytes.NewReader(data)
	half := osstest.Hang(osstest.OpUploadPart).Nth(15)
	b.server.Inject(half)
	c := b.client()
	_ = must(c.AddFile(f))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	<-half.Fired()
	if err := errors.Join(c.Pause(), c.Resume(), c.Wait(b.ctx)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.content("r"), data) {
		t.Error("the object has other bytes")
	}
	b.server.AssertFired(t)
	if n := b.server.Count(osstest.OpInitiateMultipartUpload); n != 1 {
		t.Errorf("%d uploads were begun, want one", n)
	}
	b.clean()
}

func TestFailedReaderLeavesNothing(t *testing.T) {
	b := newTestbed(t)
	broken := errors.New("tape torn")
	f := b.to("r")
	f.Reader = io.MultiReader(strings.NewReader(strings.Repeat("x", 250*kib)), iotest.ErrReader(broken))
	c := b.client()
	if _, err := c.Upload(b.ctx, f); !errors.Is(err, broken) {
		t.Errorf("got %v, want it to be %q", err, broken)
	}
	b.clean()
	if n := b.server.Count(osstest.OpAbortMultipartUpload); n == 0 {
		t.Error("the upload was not aborted")
	}
}

func TestReaderCannotBeReadAgain(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	f := b.to("r")
	f.Reader = iotest.ErrReader(errors.New("no"))
	id := must(c.AddFile(f))
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait(b.ctx)
	if err := c.ResumeFile(id); !errors.Is(err, upload.ErrState) || !strings.Contains(err.Error(), "Reader") {
		t.Errorf("got %v, want ErrState about the Reader", err)
	}
}

func (c *closer) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF && c.rest != nil {
		c.Reader, c.rest = c.rest, nil
		return n, nil
	}
	return n, err
}

func (c *closer) Close() error { c.closed = true; return nil }

// TestReaderThatBreaksOffAsItsCallerLeaves: the body of a request and its context end at the
// same time when a browser disappears. Nothing of it may stay at the server.
func TestReaderThatBreaksOffAsItsCallerLeaves(t *testing.T) {
	b := newTestbed(t)
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	sent := make(chan struct{})
	b.opts.HTTPClient = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Get("partNumber") == "2" {
			close(sent)
			<-r.Context().Done()              // the Reader has failed
			cancel()                          // before the run has ended
			time.Sleep(50 * time.Millisecond) // the end of ctx reaches the run on a goroutine of its own
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
	f := b.to("r")
	f.Reader = io.MultiReader(bytes.NewReader(repeated(200*kib)), readerFunc(func([]byte) (int, error) {
		<-sent
		return 0, io.ErrUnexpectedEOF
	}))
	c := b.client()
	if _, err := c.Upload(ctx, f); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the Reader's error or the context's", err)
	}
	c.AwaitIdle(t)
	b.clean()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
