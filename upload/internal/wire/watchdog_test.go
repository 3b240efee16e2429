package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// kernelTells is whether this system says what was acknowledged.
const kernelTells = runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")

func wantStall(t *testing.T, err error, text string) {
	t.Helper()
	e := wantError(t, err, Retry)
	if !strings.Contains(e.Error(), text) || !e.Timeout() {
		t.Errorf("got %q, timeout %t; want it to say %q", e, e.Timeout(), text)
	}
}

func TestStalls(t *testing.T) {
	if !kernelTells {
		t.Skip("the kernel does not tell what was acknowledged")
	}
	for name, c := range map[string]struct {
		server func(c *serverConn)
		size   int64
		want   string
	}{
		"peer reads nothing": {func(c *serverConn) { <-c.stop }, 64 << 20, "no progress for 200ms ("},
		// All of it is in the kernel's buffers: net/http believes that it is sent.
		"peer reads nothing of a small body": {func(c *serverConn) {
			_ = c.SetReadBuffer(4 << 10)
			<-c.stop
		}, 1 << 20, "no progress for 200ms ("},
		"peer stops in the middle": {func(c *serverConn) {
			_, _ = io.CopyN(io.Discard, c, 8<<20)
			<-c.stop
		}, 64 << 20, "of 67108864 bytes acknowledged)"},
		"no answer to a body": {func(c *serverConn) {
			_, _ = io.Copy(io.Discard, c)
		}, 1000, "no answer for 200ms (1000 of 1000 bytes acknowledged)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newObject(t, serveRaw(t, c.server), &Options{StallTimeout: testStall})
			wantStall(t, o.stalled(t, c.size, c.want), c.want)
		})
	}
}

// stalled sends a body that stalls, and again where the machine was too busy to come as
// far as that.
func (o *Object) stalled(t *testing.T, size int64, want string) (err error) {
	for range 20 {
		_, err = putPart(t.Context(), o, Body{R: &guardedSource{t: t}, Size: size})
		if err == nil || strings.Contains(err.Error(), want) {
			break
		}
	}
	return err
}

// The acknowledgements of the connection under TLS are seen as well.
func TestStallOverTLS(t *testing.T) {
	if !kernelTells {
		t.Skip("the kernel does not tell what was acknowledged")
	}
	t.Parallel()
	s := httptest.NewTLSServer(nil)
	conf, trust := s.TLS, s.Client().Transport.(*http.Transport).TLSClientConfig
	s.Close()
	url := serveRaw(t, func(c *serverConn) {
		_ = c.SetReadBuffer(16 << 10)
		if tls.Server(c.TCPConn, conf).HandshakeContext(t.Context()) == nil {
			<-c.stop
		}
	})
	o := newObject(t, strings.Replace(url, "http:", "https:", 1), &Options{StallTimeout: testStall})
	o.client.own.TLSClientConfig = trust
	const want = "of 1048576 bytes acknowledged)"
	wantStall(t, o.stalled(t, 1<<20, want), want)
}

func TestNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := inMemory(t, Options{}, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		begin := time.Now()
		_, err := o.Head(t.Context(), testKey)
		wantStall(t, err, "no answer for 30s")
		if took := time.Since(begin); took < 30*time.Second || took > 34*time.Second {
			t.Errorf("it took %v, want StallTimeout and an eighth at most", took)
		}
	})
}

func TestAnswerThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := inMemory(t, Options{}, func(c net.Conn) {
			if takeRequest(c) != nil {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<")
				_, _ = io.Copy(io.Discard, c)
			}
		})
		_, err := o.Initiate(t.Context(), testKey, nil)
		wantStall(t, err, "the answer stopped for 30s")
		if e := err.(*Error); e.Unanswered {
			t.Errorf("got %+v, want an answer to have begun", e)
		}
	})
}

// A request that was acknowledged whole may be given more time for its answer; the
// other phases get no more than before.
func TestPatience(t *testing.T) {
	answerAfter := func(d time.Duration) func(c net.Conn) {
		return func(c net.Conn) {
			if takeRequest(c) == nil {
				return
			}
			time.Sleep(d)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: A\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}
	}
	for name, c := range map[string]struct {
		server     func(c net.Conn)
		patience   int
		want       string // empty: success
		unanswered bool
	}{
		"an answer after 35 s":              {answerAfter(35 * time.Second), 1, "no answer for 30s", true},
		"after 35 s, with twice the time":   {answerAfter(35 * time.Second), 2, "", false},
		"after 65 s, with twice the time":   {answerAfter(65 * time.Second), 2, "no answer for 1m0s", true},
		"after 65 s, with four times of it": {answerAfter(65 * time.Second), 4, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := inMemory(t, Options{}, c.server)
				_, err := putPart(WithPatience(t.Context(), c.patience), o, bodyOf(data(1<<10)))
				time.Sleep(2 * time.Minute) // until the server has seen that the client has gone
				if c.want == "" {
					if err != nil {
						t.Errorf("got %v", err)
					}
					return
				}
				wantStall(t, err, c.want)
				if e := err.(*Error); e.Unanswered != c.unanswered {
					t.Errorf("got %+v, want Unanswered %t", e, c.unanswered)
				}
			})
		})
	}
}

func TestConnectionThatIsNeverMade(t *testing.T) {
	t.Parallel()
	// net/http continues dialing when the request is gone, for the next one to have it.
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	c := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			<-over
			return nil, net.ErrClosed
		},
	}}
	o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{HTTPClient: c, StallTimeout: testStall})
	_, err := putPart(t.Context(), o, bodyOf("x"))
	wantStall(t, err, "no connection for 200ms")
}

// A peer that reads slowly but steadily is left alone, though the whole body is in the
// kernel's buffers at once and nothing is read from the source for many timeouts.
func TestSlowPeerIsLeftAlone(t *testing.T) {
	if !kernelTells {
		t.Skip("the kernel does not tell what was acknowledged")
	}
	t.Parallel()
	const size, steps = 2 << 20, 30
	o := newObject(t, serveRaw(t, func(c *serverConn) {
		_ = c.SetReadBuffer(64 << 10)
		r := c.request()
		if r == nil {
			return
		}
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range steps {
			<-tick.C
			_, _ = io.CopyN(io.Discard, r.Body, size/steps)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		c.answer(200, okHead, "")
	}), &Options{StallTimeout: 600 * time.Millisecond})
	var err error
	for range 5 { // the machine may be busy with something else
		if _, err = putPart(t.Context(), o, Body{R: &guardedSource{t: t}, Size: size}); err == nil {
			return
		}
	}
	t.Error(err)
}

// The limiter is slower than what counts as a trickle.
func TestLimitedBodyIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := inMemory(t, Options{StallTimeout: testStall, BandwidthLimit: 600}, func(c net.Conn) {
			if takeRequest(c) != nil {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: A\r\n\r\n")
				_, _ = io.Copy(io.Discard, c)
			}
		})
		if _, err := putPart(t.Context(), o, bodyOf(data(1000))); err != nil {
			t.Error(err)
		}
	})
}

func TestLimiterEndsWithTheContext(t *testing.T) {
	o := newObject(t, serve(t, accept), &Options{BandwidthLimit: 1})
	ctx, cancel := context.WithCancel(t.Context())
	body := Body{R: &guardedSource{t: t}, Size: 1000}
	go cancel()
	_, err := putPart(ctx, o, body)
	wantError(t, err, Canceled)
}

// What the watchdog does with what it sees, by a clock of its own and without a socket.
func TestWatchdog(t *testing.T) {
	const timeout = 8 * time.Second
	type step struct {
		after time.Duration // since the step before
		do    func(w *watchdog)
	}
	connect := func(w *watchdog) { w.connect(nil) }
	read := func(n int64) func(w *watchdog) { return func(w *watchdog) { w.body.pos.Add(n) } }
	every := func(d time.Duration, times int, do func(w *watchdog)) []step {
		s := make([]step, times)
		for i := range s {
			s[i] = step{d, do}
		}
		return s
	}
	for name, c := range map[string]struct {
		size  int64
		steps []step
		want  string        // "": it is left alone until the last step
		after time.Duration // since the beginning, to one tick
	}{
		"no connection":                 {1000, nil, "no connection for 8s", 8 * time.Second},
		"no byte":                       {1000, []step{{time.Second, connect}}, "no progress for 8s (0 of 1000 bytes handed over)", 9 * time.Second},
		"stops":                         {1 << 20, []step{{0, connect}, {3 * time.Second, read(100_000)}}, "no progress for 8s (100000 of 1048576 bytes", 11 * time.Second},
		"stops, whatever the patience":  {1 << 20, []step{{0, func(w *watchdog) { w.patience = 4 }}, {0, connect}, {3 * time.Second, read(100_000)}}, "no progress for 8s (100000 of 1048576 bytes", 11 * time.Second},
		"trickles":                      {1 << 20, append([]step{{0, connect}}, every(time.Second, 60, read(1000))...), "too slow: 8000 bytes in 8s, want 8192 at least (8000 of", 8 * time.Second},
		"is fast enough":                {1 << 20, append([]step{{0, connect}}, every(time.Second, 60, read(1100))...), "", 0},
		"jumps, but is fast enough":     {1 << 20, append([]step{{0, connect}}, every(7*time.Second, 9, read(8<<10))...), "", 0},
		"no answer":                     {16 << 10, []step{{0, connect}, {time.Second, read(16 << 10)}}, "no answer for 8s (16384 of 16384 bytes handed over)", 10 * time.Second},
		"no answer to a larger body":    {160 << 10, []step{{0, connect}, {time.Second, read(160 << 10)}}, "no answer for 8s", 19 * time.Second},
		"no answer to a huge body":      {5 << 30, []step{{0, connect}, {time.Second, read(5 << 30)}}, "no answer for 8s", 265 * time.Second},
		"no answer without a body":      {-1, []step{{time.Second, connect}}, "no answer for 8s", 9 * time.Second},
		"answer on a connection before": {-1, []step{{0, connect}, {time.Second, func(w *watchdog) { w.answered.Store(true) }}, {7 * time.Second, connect}}, "no answer for 8s", 17 * time.Second},
		"answer stops":                  {-1, []step{{0, connect}, {time.Second, func(w *watchdog) { w.answered.Store(true); w.received.Add(99_999) }}}, "the answer stopped for 8s", 9 * time.Second},
		"answer comes in large steps":   {-1, append([]step{{0, connect}}, every(5*time.Second, 9, func(w *watchdog) { w.answered.Store(true); w.received.Add(10_000) })...), "", 0},
		"limited":                       {1 << 20, append([]step{{0, connect}}, every(time.Second, 60, func(w *watchdog) { w.body.limited.Store(true) })...), "", 0},
		"limited in between":            {1 << 20, []step{{0, connect}, {20 * time.Second / 4, func(w *watchdog) { w.body.limited.Store(true) }}}, "no progress", 13 * time.Second},
		"waits for the limiter":         {1 << 20, []step{{0, connect}, {0, func(w *watchdog) { w.body.waiting.Store(true) }}, {time.Hour, func(*watchdog) {}}}, "", 0},
		"is stopped":                    {1000, []step{{0, (*watchdog).stop}, {time.Hour, func(*watchdog) {}}}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancelCause(t.Context())
				w := &watchdog{timeout: timeout, cancel: end}
				if c.size >= 0 {
					w.body = &bodyReader{Body: Body{Size: c.size}}
				}
				begin := time.Now()
				w.start()
				defer w.stop()
				for _, s := range c.steps {
					time.Sleep(s.after)
					synctest.Wait()
					s.do(w)
				}
				var stall *stallError
				if c.want == "" {
					if ctx.Err() != nil {
						t.Fatalf("ended with %v", context.Cause(ctx))
					}
					return
				}
				<-ctx.Done()
				if !errors.As(context.Cause(ctx), &stall) || !strings.HasPrefix(stall.Error(), c.want) {
					t.Errorf("got %v, want %q", context.Cause(ctx), c.want)
				}
				if took := time.Since(begin); took > c.after+timeout/windowTicks || took < c.after-timeout/windowTicks {
					if !strings.HasPrefix(c.want, "too slow") {
						t.Errorf("ended after %v, want %v", took, c.after)
					}
				}
			})
		})
	}
}

func TestSocketTells(t *testing.T) {
	if !kernelTells {
		t.Skip("the kernel does not tell what was acknowledged")
	}
	taken := make(chan struct{})
	url := serveRaw(t, func(c *serverConn) {
		_, _ = io.CopyN(io.Discard, c, 1000)
		close(taken)
		<-c.stop
	})
	c, err := wrapping(new(net.Dialer).DialContext)(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var s socket
	if !s.open(c) {
		t.Fatal("the socket reports nothing")
	}
	if _, err := c.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	<-taken
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for acked := uint64(0); acked != 1000; { // an acknowledgement may be late
		total, _, ok := s.sample()
		if acked = total - s.base; !ok || acked > 1000 || ctx.Err() != nil {
			t.Fatalf("got %d bytes, %t", acked, ok)
		}
		runtime.Gosched()
	}
	if _, queued, _ := s.sample(); queued != 0 {
		t.Errorf("%d bytes are queued, want 0", queued)
	}
	_ = c.Close()
	if _, _, ok := s.sample(); ok {
		t.Error("a closed socket reports something")
	}
}

// Proxies send 100 Continue unasked, or 102 and 103, while the body is on its way: that is
// no answer yet, neither for the body's time nor for the answer's.
func TestInterimAnswers(t *testing.T) {
	serve := func(interim, answer string) func(c net.Conn) {
		return func(c net.Conn) {
			b := bufio.NewReader(c)
			r, err := http.ReadRequest(b)
			if err != nil {
				return
			}
			fmt.Fprint(c, interim)
			for err == nil { // a slow line: 16 KiB/s
				time.Sleep(time.Second)
				_, err = io.CopyN(io.Discard, r.Body, 16<<10)
			}
			if err == io.EOF && answer != "" {
				fmt.Fprint(c, answer)
			}
			_, _ = io.Copy(io.Discard, b)
		}
	}
	for name, interim := range map[string]string{
		"100":          "HTTP/1.1 100 Continue\r\n\r\n",
		"100 twice":    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
		"102":          "HTTP/1.1 102 Processing\r\n\r\n",
		"103 and more": "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
	} {
		t.Run(name+", then a slow body", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := inMemory(t, Options{}, serve(interim, "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\n\r\n"))
				if _, err := putPart(t.Context(), o, bodyOf(data(1<<20))); err != nil {
					t.Error(err)
				}
			})
		})
		t.Run(name+", then no answer", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := inMemory(t, Options{}, serve(interim, ""))
				_, err := putPart(t.Context(), o, bodyOf(data(1<<20)))
				wantStall(t, err, "no answer for 30s")
				if e := err.(*Error); !e.Unanswered {
					t.Errorf("got %+v, want it to say that the answer did not begin", e)
				}
			})
		})
	}
	t.Run("the answer stops", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := inMemory(t, Options{}, serve("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<"))
			_, err := putPart(t.Context(), o, bodyOf(data(1000)))
			wantStall(t, err, "the answer stopped for 30s")
		})
	})
	t.Run("a connection that ends after one is not stale", func(t *testing.T) {
		o := newObject(t, serveRaw(t, func(c *serverConn) {
			if r := c.request(); r != nil {
				_, _ = io.Copy(io.Discard, r.Body)
				c.answer(200, "ETag: \"x\"\r\n", "")
				if c.request() != nil {
					fmt.Fprint(c, "HTTP/1.1 100 Continue\r\n\r\n")
				}
			}
		}), nil)
		if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
			t.Fatal(err)
		}
		_, err := o.Head(t.Context(), testKey)
		wantError(t, err, Retry)
	})
	t.Run("without end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := inMemory(t, Options{}, func(c net.Conn) {
				for r := takeRequest(c); r != nil; {
					if _, err := fmt.Fprint(c, "HTTP/1.1 102 Processing\r\n\r\n"); err != nil {
						return
					}
				}
			})
			_, err := o.Head(t.Context(), testKey)
			if e := wantError(t, err, Retry); !strings.Contains(e.Error(), "more than 1000 answers with a status below 200") {
				t.Errorf("got %v", e)
			}
		})
	})
}
