package osstest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// await waits for what must come soon; the limit is only for a test that fails.
func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(5 * time.Minute):
		t.Fatalf("no end of waiting for %s", what)
	}
}

// inBackground makes a call and returns a channel for its outcome.
func (f *faultTest) inBackground(ctx context.Context, method, path string, body io.Reader) <-chan reply {
	c := make(chan reply, 1)
	go func() { c <- f.doContext(ctx, method, path, body) }()
	return c
}

// stillWaiting fails the test if a call has had its answer.
func stillWaiting(t *testing.T, c <-chan reply) {
	t.Helper()
	select {
	case r := <-c:
		t.Fatalf("the call came back with %d, %v; want it to hang", r.status, r.err)
	default:
	}
}

// hangs has a Hang at each moment, and whether the part is there while it hangs.
func hangs() map[string]struct {
	fault *Fault
	done  bool
} {
	return map[string]struct {
		fault *Fault
		done  bool
	}{
		"before the body": {Hang(OpUploadPart), false},
		"in the body":     {Hang(OpUploadPart).InBody(1000), false},
		"before the work": {Hang(OpUploadPart).BeforeWork(), false},
		"after the work":  {Hang(OpUploadPart).AfterWork(), true},
		"in the answer":   {Hang(OpUploadPart).InAnswer(20), true},
	}
}

func TestHangIsReleased(t *testing.T) {
	for name, hang := range hangs() {
		t.Run(name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(hang.fault)
			answer := f.inBackground(t.Context(), "PUT", f.part(2), strings.NewReader(strings.Repeat("x", 5000)))
			await(t, "the fault", hang.fault.Fired())
			stillWaiting(t, answer)
			if read := f.Requests()[0].BodyBytes; name == "in the body" && read != 1000 {
				t.Errorf("the server has read %d bytes, want 1000", read)
			}
			want := "[1]"
			if hang.done {
				want = "[1 2]"
			}
			if got := f.parts(); got != want {
				t.Errorf("while it hangs the server has the parts %s, want %s", got, want)
			}
			hang.fault.Release()
			if r := <-answer; r.err != nil || r.status != 200 {
				t.Errorf("got %d, %v after Release; want 200", r.status, r.err)
			}
			if got := f.parts(); got != "[1 2]" {
				t.Errorf("the server has the parts %s, want [1 2]", got)
			}
		})
	}
}

func TestHangEndsWithTheClient(t *testing.T) {
	for name, hang := range hangs() {
		if name == "before the body" || name == "in the body" {
			continue // the server cannot see the client go, as the documentation of Hang says
		}
		t.Run(name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(hang.fault)
			ctx, cancel := context.WithCancel(t.Context())
			answer := f.inBackground(ctx, "PUT", f.part(2), strings.NewReader("x"))
			await(t, "the fault", hang.fault.Fired())
			cancel()
			if r := <-answer; !errors.Is(r.err, context.Canceled) {
				t.Errorf("got %d, %v; want the client's own cancellation", r.status, r.err)
			}
			limit, stop := context.WithTimeout(t.Context(), 5*time.Minute)
			defer stop()
			if err := f.WaitIdle(limit); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHangEndsWithTheServer(t *testing.T) {
	for name, hang := range hangs() {
		t.Run(name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(hang.fault)
			answer := f.inBackground(t.Context(), "PUT", f.part(2), strings.NewReader("x"))
			await(t, "the fault", hang.fault.Fired())
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				f.Close()
			}()
			await(t, "Close", closed)
			if r := <-answer; r.err == nil {
				t.Errorf("got %d %q; want an error, for nothing was done", r.status, r.body)
			}
		})
	}
}

func TestDelay(t *testing.T) {
	const delay = 30 * time.Millisecond
	for name, fault := range map[string]*Fault{
		"before the answer": Delay(OpUploadPart, delay),
		"before the body":   Delay(OpUploadPart, delay).BeforeBody(),
		"in the body":       Delay(OpUploadPart, delay).InBody(3),
		"before the work":   Delay(OpUploadPart, delay).BeforeWork(),
		"in the answer":     Delay(OpUploadPart, delay).InAnswer(20),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(fault)
			start := time.Now()
			if r := f.do("PUT", f.part(2), "12345"); r.err != nil || r.status != 200 {
				t.Errorf("got %d, %v; want 200", r.status, r.err)
			}
			if took := time.Since(start); took < delay {
				t.Errorf("the answer took %v, want at least %v", took, delay)
			}
			f.AssertFired(t)
		})
	}
}

func TestDelayEndsWithTheServer(t *testing.T) {
	f := newFaultTest(t, nil)
	fault := Delay(OpUploadPart, time.Hour)
	f.Inject(fault)
	answer := f.inBackground(t.Context(), "PUT", f.part(2), strings.NewReader("x"))
	await(t, "the fault", fault.Fired())
	f.Close()
	if r := <-answer; r.err == nil {
		t.Errorf("got %d; want an error", r.status)
	}
}

func TestSlowBody(t *testing.T) {
	f := newFaultTest(t, nil)
	f.Inject(SlowBody(OpUploadPart, 100_000))
	start := time.Now()
	r := f.do("PUT", f.part(2), strings.Repeat("x", 5000))
	if took := time.Since(start); r.status != 200 || took < 40*time.Millisecond {
		t.Errorf("got %d after %v; want 200 after 5,000 bytes at 100,000 a second", r.status, took)
	}
	f.AssertFired(t)
}

func TestSlowBodyHoldsTheClientUp(t *testing.T) {
	// Far more than the systems buffer between the two.
	const size = 64 << 20
	f := newFaultTest(t, nil)
	fault := SlowBody(OpUploadPart, 1000)
	f.Inject(fault)
	body := &countingReader{r: zeros(size)}
	ctx, cancel := context.WithCancel(t.Context())
	answer := f.inBackground(ctx, "PUT", f.part(2), body)
	await(t, "the fault", fault.Fired())
	cancel()
	<-answer
	if body.n.Load() >= size {
		t.Errorf("the client has sent all of its %d bytes", size)
	}
}

type countingReader struct {
	r io.Reader
	n atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestSlowAnswer(t *testing.T) {
	f := newFaultTest(t, nil)
	f.Inject(SlowAnswer(OpGetObject, 10_000))
	start := time.Now()
	r := f.do("GET", "/media/object", "")
	if r.err != nil || r.status != 200 || r.body != "object bytes" {
		t.Errorf("got %d %q, %v; want the object", r.status, r.body, r.err)
	}
	// The header alone is more than 300 bytes.
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("the answer took %v, want at least 30ms", took)
	}
	f.AssertFired(t)
}

func TestSlowAnswerToAClientThatDoesNotReadEndsWithTheServer(t *testing.T) {
	f := newFaultTest(t, nil)
	f.good("PUT", "/media/big", strings.Repeat("x", 32<<20)) // more than the systems buffer
	fault := SlowAnswer(OpGetObject, 1<<30)
	f.Inject(fault)
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := f.request(t.Context(), "GET", "/media/big", nil).Write(conn); err != nil {
		t.Fatal(err)
	}
	await(t, "the fault", fault.Fired())
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		f.Close()
	}()
	await(t, "Close", closed)
}

func TestFaultsOnTopOfOthers(t *testing.T) {
	f := newFaultTest(t, nil)
	delay, slow := Delay(OpUploadPart, time.Millisecond).Always(), SlowBody(OpUploadPart, 1<<20).Always()
	fail := Fail(OpUploadPart, 503, "ServiceUnavailable").Nth(2)
	f.Inject(delay, slow, SetHeader(AnyOp, "Via", "a proxy").Always(), fail)
	for i, want := range []int{200, 503, 200} {
		r := f.do("PUT", f.part(2), "x")
		if r.status != want || r.header.Get("Via") != "a proxy" {
			t.Errorf("call %d: got %d with Via %q, want %d with one", i+1, r.status, r.header.Get("Via"), want)
		}
	}
	if delay.Count() != 3 || slow.Count() != 3 {
		t.Errorf("delay hit %d times, slow link %d times, want 3 and 3", delay.Count(), slow.Count())
	}
	if got := f.Requests()[1].Fault; got != fail {
		t.Errorf("log has %v, want the fault that is not on top", got)
	}
}
