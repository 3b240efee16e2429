package upload_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A sighting is what an observer has seen, in order.
type sighting struct {
	mu   sync.Mutex
	seen []string
}

func (s *sighting) add(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, fmt.Sprintf(format, args...))
}

func (s *sighting) count(of string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.seen {
		if strings.HasPrefix(line, of) {
			n++
		}
	}
	return n
}

type observedKey string

// observer returns an observer that checks that contexts come back, and that the client's
// lock is free.
func (s *sighting) observer(t *testing.T, client func() *upload.Client) *upload.Observer {
	outer := func(hook string) {
		if c := client(); c != nil {
			c.Stats()
			c.Status()
		}
	}
	return &upload.Observer{
		FileStart: func(ctx context.Context, f upload.FileInfo) context.Context {
			outer("FileStart")
			s.add("start %d %v", f.ID, f.State)
			return context.WithValue(ctx, observedKey("file"), f.ID)
		},
		FileEnd: func(ctx context.Context, f upload.FileInfo) {
			outer("FileEnd")
			if ctx.Value(observedKey("file")) != f.ID {
				t.Errorf("FileEnd of %d without the context of its FileStart", f.ID)
			}
			code := ""
			if f.Err != nil {
				code = f.Err.Code
			}
			s.add("end %d %v %s", f.ID, f.State, code)
		},
		Resumed: func(ctx context.Context, f upload.FileInfo, parts []int) {
			outer("Resumed")
			if ctx.Value(observedKey("file")) != f.ID {
				t.Errorf("Resumed of %d without the context of its FileStart", f.ID)
			}
			s.add("resumed %d %v", f.ID, parts)
		},
		RequestStart: func(ctx context.Context, r upload.Request) context.Context {
			outer("RequestStart")
			if got := ctx.Value(observedKey("file")); r.FileID != 0 && got != r.FileID {
				t.Errorf("%s is of file %d, and has the context of %v", r.Op, r.FileID, got)
			}
			s.add("request %d %s %d attempt %d, %d bytes", r.FileID, r.Op, r.Part, r.Attempt, r.Bytes)
			return context.WithValue(ctx, observedKey("request"), r)
		},
		RequestEnd: func(ctx context.Context, r upload.Request, o upload.Outcome) {
			outer("RequestEnd")
			if ctx.Value(observedKey("request")) != r {
				t.Errorf("RequestEnd of %+v without the context of its RequestStart", r)
			}
			if o.RequestID == "" && o.Status != 0 || o.Duration <= 0 || (o.Err == nil) != (o.Code == "") {
				t.Errorf("%s: %+v", r.Op, o)
			}
			if o.Status == 200 && (o.Sent != r.Bytes || (o.SourceRead > 0) != (r.Bytes > 0) || o.SourceRead > o.Duration) {
				t.Errorf("%s of %d bytes: %+v", r.Op, r.Bytes, o)
			}
			s.add("done %d %s %d: %d %s", r.FileID, r.Op, r.Part, o.Status, o.Code)
		},
		Wait: func(id upload.FileID, w upload.Waiting, lasted time.Duration) {
			outer("Wait")
			s.add("waited %d %v", id, w.For)
		},
	}
}

func TestObserver(t *testing.T) {
	b := newTestbed(t)
	var s sighting
	var c *upload.Client
	b.opts.Observer = s.observer(t, func() *upload.Client { return c })
	b.opts.Parallel = 1
	c = b.client()
	b.server.Inject(
		osstest.Fail(osstest.OpUploadPart, 500, "InternalError").Part(2),
		osstest.Fail(osstest.OpPutObject, 403, "AccessDenied"),
	)
	b.add(c, b.bytesOf("parts", 250*kib), b.bytesOf("small", 10*kib))
	b.do(c.Start(b.ctx))
	_ = c.Wait(b.ctx)
	b.do(c.Close())
	for _, want := range []string{
		"start 1 uploading",
		"request 1 InitiateMultipartUpload 0 attempt 1, 0 bytes",
		"done 1 InitiateMultipartUpload 0: 200 ",
		"request 1 UploadPart 1 attempt 1, 102400 bytes",
		"request 1 UploadPart 2 attempt 1, 102400 bytes",
		"done 1 UploadPart 2: 500 InternalError",
		"request 1 UploadPart 2 attempt 2, 102400 bytes",
		"done 1 UploadPart 2: 200 ",
		"request 1 UploadPart 3 attempt 1, 51200 bytes",
		"request 1 CompleteMultipartUpload 0 attempt 1, 0 bytes",
		"done 1 CompleteMultipartUpload 0: 200 ",
		"end 1 succeeded ",
		"start 2 uploading",
		"request 2 PutObject 0 attempt 1, 10240 bytes",
		"done 2 PutObject 0: 403 AccessDenied",
		"end 2 failed AccessDenied",
	} {
		if n := s.count(want); n != 1 {
			t.Errorf("%q was seen %d times", want, n)
		}
	}
	if requests := s.count("request"); requests != s.count("done") || requests != len(b.server.Requests()) {
		t.Errorf("%d requests began and %d ended, the server has got %d", requests, s.count("done"), len(b.server.Requests()))
	}
	if s.count("start") != s.count("end") {
		t.Errorf("%d starts, %d ends", s.count("start"), s.count("end"))
	}
	if t.Failed() {
		t.Log(strings.Join(s.seen, "\n"))
	}
}

func TestObserverSeesWhatIsResumed(t *testing.T) {
	b := newTestbed(t)
	var s sighting
	var c *upload.Client
	b.opts.Observer = s.observer(t, func() *upload.Client { return c })
	c = b.client()
	hang := osstest.Hang(osstest.OpUploadPart).Part(3).BeforeWork()
	b.server.Inject(hang)
	b.add(c, b.bytesOf("parts", 300*kib))
	b.do(c.Start(b.ctx))
	<-hang.Fired()
	for c.Stats().AckedBytes < 200*kib {
		time.Sleep(time.Millisecond)
	}
	b.do(errors.Join(c.Pause(), c.Resume()))
	b.do(c.Wait(b.ctx))
	b.do(c.Close())
	if s.count("resumed 1 [1 2]") != 1 || s.count("start 1") != 2 || s.count("end 1") != 2 || s.count("end 1 succeeded") != 1 {
		t.Errorf("seen:\n%s", strings.Join(s.seen, "\n"))
	}
}

func TestObserverSeesWaits(t *testing.T) {
	b := newTestbed(t)
	var s sighting
	b.opts.Credentials = nil
	b.opts.Callbacks.OnStarted = func(*upload.Client, upload.FileInfo) {} // somebody who could give them
	b.opts.Observer = s.observer(t, func() *upload.Client { return nil })
	c := b.client()
	b.add(c, b.bytesOf("small", 10*kib))
	b.do(c.Start(b.ctx))
	for {
		if f, err := c.File(1); err == nil && f.Waiting != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	b.do(errors.Join(c.Init(b.newToken(1)), c.Wait(b.ctx), c.Close()))
	if s.count("waited 1 credentials") != 1 {
		t.Errorf("seen:\n%s", strings.Join(s.seen, "\n"))
	}
}

// Each function is optional, and a context need not be returned.
func TestObserverMayHaveAnyFunctions(t *testing.T) {
	for _, o := range []*upload.Observer{
		{},
		{FileStart: func(context.Context, upload.FileInfo) context.Context { return nil }},
		{RequestStart: func(context.Context, upload.Request) context.Context { return nil }},
		{RequestEnd: func(context.Context, upload.Request, upload.Outcome) {}},
	} {
		b := newTestbed(t)
		b.opts.Observer = o
		c := b.client()
		b.add(c, b.bytesOf("parts", 150*kib))
		b.do(errors.Join(c.Start(b.ctx), c.Wait(b.ctx), c.Close()))
	}
}

func TestObserverSeesInterruptions(t *testing.T) {
	b := newTestbed(t)
	var interrupted []upload.Outcome
	var mu sync.Mutex
	b.opts.Observer = &upload.Observer{RequestEnd: func(_ context.Context, r upload.Request, o upload.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		if o.Err != nil {
			interrupted = append(interrupted, o)
		}
	}}
	hang := osstest.Hang(osstest.OpPutObject).BeforeWork()
	b.server.Inject(hang)
	c := b.client()
	b.add(c, b.bytesOf("small", 10*kib))
	b.do(c.Start(b.ctx))
	<-hang.Fired()
	b.do(errors.Join(c.CancelFile(1), c.Wait(b.ctx), c.Close()))
	if len(interrupted) != 1 || !interrupted[0].Interrupted || slices.Contains([]string{"", "InternalError"}, interrupted[0].Code) {
		t.Errorf("got %+v", interrupted)
	}
}
