package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/internal/memnet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// An outageWorld is a server in a bubble, the network to it, and how it goes away.
type outageWorld struct {
	*testbed
	network *memnet.Network
	status  atomic.Int32 // of all answers; 0: those of the server
	hangs   atomic.Bool  // handshakes do not end

	now     atomic.Int32 // requests
	most    atomic.Int32
	total   atomic.Int32
	retries atomic.Int32
	resumes atomic.Int32
	mu      sync.Mutex
	waiting map[upload.FileID]int
}

func newOutageWorld(t *testing.T) *outageWorld {
	w := &outageWorld{testbed: newDirectTestbed(t), network: memnet.New(), waiting: make(map[upload.FileID]int)}
	w.network.Set(memnet.Link{Delay: 5 * time.Millisecond})
	w.network.Serve("127.0.0.1:1", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if s := w.status.Load(); s != 0 {
			_, _ = io.Copy(io.Discard, r.Body)
			rw.WriteHeader(int(s))
			return
		}
		w.server.ServeHTTP(rw, r)
	}))
	transport := w.network.Host("laptop").Transport()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		w.network.Close()
	})
	w.opts.HTTPClient = &http.Client{Transport: &countingTransport{w, transport}}
	w.opts.RetryInterval = 0 // the default
	w.opts.Callbacks.OnRetry = func(*upload.Client, upload.FileInfo, upload.Retry) { w.retries.Add(1) }
	w.opts.Callbacks.OnRetryResume = func(*upload.Client, upload.FileInfo) { w.resumes.Add(1) }
	w.opts.Callbacks.OnWaiting = func(_ *upload.Client, f upload.FileInfo, one upload.Waiting) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if one.For == upload.WaitNetwork || one.For == upload.WaitThrottle {
			w.waiting[f.ID]++
		}
	}
	return w
}

// A countingTransport counts the requests that are made at the same time.
type countingTransport struct {
	w *outageWorld
	*http.Transport
}

func (t *countingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := t.w
	w.total.Add(1)
	n := w.now.Add(1)
	defer w.now.Add(-1)
	for most := w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
	}
	if w.hangs.Load() {
		select {
		case <-time.After(10 * time.Second):
		case <-r.Context().Done():
		}
		return nil, os.ErrDeadlineExceeded
	}
	return t.Transport.RoundTrip(r)
}

// count begins to count.
func (w *outageWorld) count() {
	w.total.Store(w.now.Load())
	w.most.Store(w.now.Load())
}

// away are the kinds of outages.
var away = map[string]func(w *outageWorld, away bool){
	"connection refused": func(w *outageWorld, away bool) {
		w.network.Set(memnet.Link{Delay: 5 * time.Millisecond, Refused: away})
		w.network.Cut()
	},
	"no name is resolved": func(w *outageWorld, away bool) {
		w.network.Set(memnet.Link{Delay: 5 * time.Millisecond, NoNames: away})
		w.network.Cut()
	},
	"packets are swallowed": func(w *outageWorld, away bool) {
		w.network.Set(memnet.Link{Delay: 5 * time.Millisecond, Silent: away})
	},
	"connections are lost, packets are swallowed": func(w *outageWorld, away bool) {
		if away {
			w.network.Strand()
		}
		w.network.Set(memnet.Link{Delay: 5 * time.Millisecond, Silent: away})
	},
	"TLS handshakes hang": func(w *outageWorld, away bool) { w.hangs.Store(away) },
	"502":                 status(502),
	"503":                 status(503),
	"504":                 status(504),
}

func status(code int32) func(w *outageWorld, away bool) {
	return func(w *outageWorld, away bool) {
		w.status.Store(0)
		if away {
			w.status.Store(code)
		}
	}
}

// TestOutage: for a minute nothing gets through, and 400 small files lose nothing by it.
func TestOutage(t *testing.T) {
	for name, set := range away {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newOutageWorld(t)
				c := w.client()
				if _, err := c.Upload(w.ctx, w.bytesOf("first", kib)); err != nil { // it gets the credentials
					t.Fatal(err)
				}
				for i := range 400 {
					w.add(c, w.bytesOf(fmt.Sprint("o", i), kib))
				}
				if err := c.Start(w.ctx); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
				done := c.Stats().Files[upload.FileSucceeded]
				set(w, true)
				time.Sleep(45 * time.Second) // requests that hang are noticed after 30 s
				w.count()
				time.Sleep(15 * time.Second)
				most, total := w.most.Load(), w.total.Load()
				held := 0
				for _, f := range c.Files() {
					if f.State == upload.FileInit && f.Waiting != nil && f.Waiting.For == upload.WaitNetwork && f.Waiting.Err != nil {
						held++
					}
				}
				if files := c.Stats().Files; held < 180 || held != files[upload.FileInit] {
					t.Errorf("%d files that were not started wait for the network, want %d", held, files[upload.FileInit])
				}
				if files := c.Stats().Files; done == 0 || done > 200 || files[upload.FileFailed] > 0 || files[upload.FileUploading] > 20 {
					t.Errorf("%d files were there before the outage; in it: %v", done, files)
				}
				set(w, false)
				end := time.Now()
				if err := c.Wait(w.ctx); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(end); took > 5*time.Second {
					t.Errorf("all files were there %v after the outage", took)
				}
				if most != 1 {
					t.Errorf("%d requests at a time, want 1 (of %d)", most, total)
				}
				if n, m := w.retries.Load(), w.resumes.Load(); n != 1 || m != 1 {
					t.Errorf("OnRetry was called %d times, OnRetryResume %d times; want once each", n, m)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				for id, n := range w.waiting {
					if n != 1 {
						t.Errorf("OnWaiting was called %d times for file %v", n, id)
					}
				}
				if n := len(w.waiting); n < 400-done-10 || n > 400-done+1 { // some were under way
					t.Errorf("OnWaiting was called for %d files, want it for those that were not there: %d", n, 400-done)
				}
			})
		})
	}
}

// TestOutageWithoutAProbe: nobody is there to probe once the file that did is canceled. One
// of those that were kept from being started probes then, and the others have heard of the
// outage already.
func TestOutageWithoutAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutageWorld(t)
		w.opts.Parallel = 1
		c := w.client()
		must(c.Upload(w.ctx, w.bytesOf("first", kib)))
		away["connection refused"](w, true)
		var ids []upload.FileID
		for i := range 20 {
			ids = append(ids, w.add(c, w.bytesOf(fmt.Sprint("o", i), kib))...)
		}
		w.do(c.Start(w.ctx))
		for _, id := range ids[:3] {
			time.Sleep(30 * time.Second)
			w.do(c.CancelFile(id))
		}
		time.Sleep(30 * time.Second)
		w.mu.Lock()
		for i, id := range ids {
			if n := w.waiting[id]; n != 1 {
				t.Errorf("OnWaiting was called %d times for file %d", n, i)
			}
		}
		w.mu.Unlock()
		for _, id := range ids[3:] {
			if f := must(c.File(id)); f.Waiting == nil || f.Waiting.For != upload.WaitNetwork || f.Waiting.Err == nil {
				t.Errorf("%s waits for %v", f.Object, f.Waiting)
			}
		}
		w.do(c.Stop())
		time.Sleep(5 * time.Second)
		w.do(c.Start(w.ctx))
		time.Sleep(30 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		for i, id := range ids[3:] {
			if n := w.waiting[id]; n != 2 {
				t.Errorf("after Stop and Start, OnWaiting was called %d times for file %d, want a second time", n, i)
			}
		}
	})
}

// TestEndpointThatNeverAnswered fails by RetryCount.
func TestEndpointThatNeverAnswered(t *testing.T) {
	for name, set := range away {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newOutageWorld(t)
				set(w, true)
				begin := time.Now()
				_, err := w.client().Upload(w.ctx, w.bytesOf("a", kib))
				if err == nil || !strings.Contains(err.Error(), "gave up after 3 retries") {
					t.Errorf("got %v, want it to give up after 3 retries", err)
				}
				if n := w.retries.Load(); n != 3 {
					t.Errorf("OnRetry was called %d times, want 3", n)
				}
				if took := time.Since(begin); took > 3*time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestOutageThatLastsTooLong fails the files that wait.
func TestOutageThatLastsTooLong(t *testing.T) {
	for name, tt := range map[string]struct{ wait, most time.Duration }{
		"the default": {0, 10*time.Minute + time.Second},
		"a minute":    {time.Minute, time.Minute + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newOutageWorld(t)
				w.opts.OutageWait = tt.wait
				c := w.client()
				if _, err := c.Upload(w.ctx, w.bytesOf("a", kib)); err != nil {
					t.Fatal(err)
				}
				away["connection refused"](w, true)
				begin := time.Now()
				_, err := c.Upload(w.ctx, w.bytesOf("b", 250*kib))
				if err == nil || !strings.Contains(err.Error(), "Options.OutageWait") || !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("got %v, want one that names Options.OutageWait and the refusal", err)
				}
				if took := time.Since(begin); took > tt.most || took < tt.most-2*time.Second {
					t.Errorf("it took %v, want %v", took, tt.most)
				}
				away["connection refused"](w, false)
				if _, err := c.Upload(w.ctx, w.bytesOf("b", 250*kib)); err != nil {
					t.Errorf("after the outage: %v", err)
				}
			})
		})
	}
	t.Run("off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newOutageWorld(t)
			w.opts.OutageWait = -1
			c := w.client()
			if _, err := c.Upload(w.ctx, w.bytesOf("a", kib)); err != nil {
				t.Fatal(err)
			}
			away["connection refused"](w, true)
			if _, err := c.Upload(w.ctx, w.bytesOf("b", kib)); err == nil || !strings.Contains(err.Error(), "gave up after 3 retries") {
				t.Errorf("got %v", err)
			}
		})
	})
}

// TestInterruptedInAnOutage: it ends at once, and nothing probes any more.
func TestInterruptedInAnOutage(t *testing.T) {
	for name, interrupt := range map[string]func(c *upload.Client, cancel context.CancelFunc) error{
		"Pause":           func(c *upload.Client, _ context.CancelFunc) error { return c.Pause() },
		"Stop":            func(c *upload.Client, _ context.CancelFunc) error { return c.Stop() },
		"Close":           func(c *upload.Client, _ context.CancelFunc) error { return c.Close() },
		"Start's context": func(_ *upload.Client, cancel context.CancelFunc) error { cancel(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newOutageWorld(t)
				c := w.client()
				if _, err := c.Upload(w.ctx, w.bytesOf("a", kib)); err != nil {
					t.Fatal(err)
				}
				away["connection refused"](w, true)
				for i := range 20 {
					w.add(c, w.bytesOf(fmt.Sprint(i), 250*kib))
				}
				ctx, cancel := context.WithCancel(w.ctx)
				defer cancel()
				if err := c.Start(ctx); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				if n := c.Stats().Files[upload.FileUploading]; n == 0 || n > 10 {
					t.Errorf("%d files are uploading", n)
				}
				begin := time.Now()
				if err := interrupt(c, cancel); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if n := c.Stats().Files[upload.FileUploading]; n != 0 {
					t.Errorf("%d files are still uploading", n)
				}
				if took := time.Since(begin); took > time.Second {
					t.Errorf("it took %v", took)
				}
				w.count()
				time.Sleep(time.Minute)
				if n := w.total.Load(); n != 0 {
					t.Errorf("%d requests were made after the interruption", n)
				}
				away["connection refused"](w, false)
				switch name {
				case "Close":
					return
				case "Pause":
					if err := c.Resume(); err != nil {
						t.Fatal(err)
					}
				default:
					if err := c.Start(w.ctx); err != nil {
						t.Fatal(err)
					}
				}
				if err := c.Wait(w.ctx); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestCanceledInAnOutage: when nobody is left that probes, other files of the list do.
func TestCanceledInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutageWorld(t)
		c := w.client()
		if _, err := c.Upload(w.ctx, w.bytesOf("a", kib)); err != nil {
			t.Fatal(err)
		}
		away["connection refused"](w, true)
		for i := range 20 {
			w.add(c, w.bytesOf(fmt.Sprint(i), kib))
		}
		if err := c.Start(w.ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for _, f := range c.Files() {
			if f.State == upload.FileUploading {
				if err := c.CancelFile(f.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(30 * time.Second)
		away["connection refused"](w, false)
		end := time.Now()
		if err := c.Wait(w.ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(end); took > 5*time.Second {
			t.Errorf("the others were there %v after the outage", took)
		}
		if n := c.Stats().Files[upload.FileSucceeded]; n < 10 {
			t.Errorf("%d files succeeded", n)
		}
	})
}

// TestOneRequestIsBlamed where others get through.
func TestOneRequestIsBlamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newOutageWorld(t)
		transport := w.opts.HTTPClient.Transport
		w.opts.HTTPClient = &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "poison") {
				return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
			}
			return transport.RoundTrip(r)
		})}
		c := w.client()
		w.add(c, w.bytesOf("a", kib), w.bytesOf("poison", kib))
		for i := range 100 {
			w.add(c, w.bytesOf(fmt.Sprint(i), 250*kib))
		}
		w.network.Set(memnet.Link{Delay: 500 * time.Millisecond})
		begin := time.Now()
		if err := c.Start(w.ctx); err != nil {
			t.Fatal(err)
		}
		err := c.Wait(w.ctx)
		var failed upload.Errors
		if !errors.As(err, &failed) || len(failed) != 1 || !strings.Contains(err.Error(), "gave up after 3 retries") {
			t.Errorf("got %v, want one file to fail after 3 retries", err)
		}
		if took := time.Since(begin); took > 3*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

// TestOutageOfSockets is a short one with real connections.
func TestOutageOfSockets(t *testing.T) {
	b := newTestbed(t)
	b.opts.RetryInterval = 20 * time.Millisecond
	var refused atomic.Bool
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if refused.Load() {
			addr = "127.0.0.1:1"
		}
		return dialTCP(ctx, network, addr)
	}
	transport := &http.Transport{DialContext: dial, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	b.opts.HTTPClient = &http.Client{Transport: transport}
	waits := make(chan upload.Waiting, 1000)
	b.opts.Callbacks.OnWaiting = func(_ *upload.Client, _ upload.FileInfo, w upload.Waiting) { waits <- w }
	c := b.client()
	if _, err := c.Upload(b.ctx, b.file("a", kib)); err != nil {
		t.Fatal(err)
	}
	refused.Store(true)
	for i := range 40 {
		b.add(c, b.file(fmt.Sprint(i), kib))
	}
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	for w := range waits {
		if w.For == upload.WaitNetwork {
			break
		}
	}
	b.server.ResetRequests()
	refused.Store(false)
	if err := c.Wait(b.ctx); err != nil {
		t.Error(err)
	}
	if n := len(b.server.Requests(osstest.OpPutObject)); n != 40 {
		t.Errorf("the server got %d requests of 40 files", n)
	}
}
