package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

const okHead = "ETag: \"A\"\r\nx-oss-request-id: R\r\n"

const denied = "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"

// A guardedSource fails the test when it is read after its request has ended.
type guardedSource struct {
	t     testing.TB
	ended atomic.Bool
}

func (s *guardedSource) ReadAt(p []byte, off int64) (int, error) {
	if s.ended.Load() {
		s.t.Error("the source was read after the call returned")
	}
	return len(p), nil
}

func TestEarlyAnswer(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		refuse(w, 403, "AccessDenied", "No.")
	}), nil)
	for range 30 {
		src := &guardedSource{t: t}
		sent := func(int64) {
			if src.ended.Load() {
				t.Error("Sent was called after the call returned")
			}
		}
		_, err := putPart(t.Context(), o, Body{R: src, Size: 64 << 20, Sent: sent})
		src.ended.Store(true)
		if e := wantError(t, err, Permanent); e.Code != "AccessDenied" {
			t.Fatalf("got %v", e)
		}
	}
}

func TestEarlySuccessIsNotBelieved(t *testing.T) {
	o := newObject(t, serveRaw(t, func(c *serverConn) {
		if c.request() != nil {
			c.answer(200, okHead, "")
			<-c.stop
		}
	}), nil)
	_, err := putPart(t.Context(), o, Body{R: &guardedSource{t: t}, Size: 64 << 20})
	if e := wantError(t, err, Retry); !strings.Contains(e.Error(), "of 67108864 bytes") {
		t.Errorf("got %v", e)
	}
}

// The server answers and closes at once: the rest of the body meets a connection that
// is no more, while the answer waits to be read.
func TestAnswerBeforeReset(t *testing.T) {
	o := newObject(t, serveRaw(t, func(c *serverConn) {
		if c.request() != nil {
			_, _ = io.CopyN(io.Discard, c, 200_000)
			c.answer(403, "", denied)
			c.reset()
		}
	}), nil)
	for range 10 {
		_, err := putPart(t.Context(), o, Body{R: &guardedSource{t: t}, Size: 64 << 20})
		if e := wantError(t, err, Permanent); e.Code != "AccessDenied" {
			t.Fatalf("got %v", e)
		}
	}
}

func TestConnectionThatBreaks(t *testing.T) {
	for name, h := range map[string]func(c *serverConn){
		"before the request": func(c *serverConn) { c.reset() },
		"in the body": func(c *serverConn) {
			c.request()
			_, _ = io.CopyN(io.Discard, c, 100_000)
			c.reset()
		},
		"after the body, answer lost": func(c *serverConn) {
			if r := c.request(); r != nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
		},
		"in the answer's head": func(c *serverConn) {
			if r := c.request(); r != nil {
				_, _ = io.Copy(io.Discard, r.Body)
				fmt.Fprint(c.TCPConn, "HTTP/1.1 20")
			}
		},
		"with an answer that is not HTTP": func(c *serverConn) {
			if r := c.request(); r != nil {
				_, _ = io.Copy(io.Discard, r.Body)
				fmt.Fprint(c.TCPConn, "SSH-2.0-OpenSSH\r\n\r\n")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, serveRaw(t, h), nil)
			_, err := putPart(t.Context(), o, bodyOf(data(8<<20)))
			if e := wantError(t, err, Retry); e.Status != 0 || e.Err == nil {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestAnswerThatBreaksOff(t *testing.T) {
	o := newObject(t, serveRaw(t, func(c *serverConn) {
		if c.request() != nil {
			fmt.Fprintf(c.TCPConn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<InitiateMultipartUploadResult>")
		}
	}), nil)
	_, err := o.Initiate(t.Context(), testKey, nil)
	if e := wantError(t, err, Retry); e.Status != 200 || !errors.Is(e, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", e)
	}
}

func TestStaleConnection(t *testing.T) {
	for name, end := range map[string]func(c *serverConn){
		"closed":                 func(*serverConn) {},
		"reset":                  func(c *serverConn) { c.reset() },
		"closed after the body":  func(c *serverConn) { _, _ = io.CopyN(io.Discard, c, 1000) },
		"reset within the body":  func(c *serverConn) { _, _ = io.CopyN(io.Discard, c, 10); c.reset() },
		"closed within the body": func(c *serverConn) { _, _ = io.CopyN(io.Discard, c, 10) },
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, serveRaw(t, func(c *serverConn) {
				r := c.request()
				if r == nil {
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				c.answer(200, okHead, "")
				if c.number > 0 {
					<-c.stop
				}
				if c.request() != nil { // the next one comes on the same connection
					end(c)
				}
			}), nil)
			if _, err := putPart(t.Context(), o, bodyOf(data(1000))); err != nil {
				t.Fatal(err)
			}
			_, err := putPart(t.Context(), o, bodyOf(data(1000)))
			wantError(t, err, Stale)
			if _, err := putPart(t.Context(), o, bodyOf(data(1000))); err != nil {
				t.Errorf("on a new connection: %v", err)
			}
		})
	}
}

func TestCancelInTheBody(t *testing.T) {
	begun := make(chan struct{})
	o := newObject(t, serveRaw(t, func(c *serverConn) {
		if c.request() != nil {
			_, _ = io.CopyN(io.Discard, c, 1000)
			close(begun)
			<-c.stop
		}
	}), nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("the user pressed stop")
	go func() {
		<-begun
		cancel(cause)
	}()
	_, err := putPart(ctx, o, Body{R: &guardedSource{t: t}, Size: 64 << 20})
	e := wantError(t, err, Canceled)
	if !errors.Is(e, cause) || !errors.Is(e, context.Canceled) {
		t.Errorf("got %v", e)
	}

	_, err = putPart(ctx, o, bodyOf("x"))
	if e := wantError(t, err, Canceled); !errors.Is(e, cause) {
		t.Errorf("canceled before: got %v", e)
	}
}

func TestCancelInTheAnswer(t *testing.T) {
	begun := make(chan struct{})
	o := newObject(t, serveRaw(t, func(c *serverConn) {
		if c.request() != nil {
			fmt.Fprintf(c.TCPConn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<")
			close(begun)
			<-c.stop
		}
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	_, err := o.Initiate(ctx, testKey, nil)
	if e := wantError(t, err, Canceled); !errors.Is(e, context.Canceled) {
		t.Errorf("got %v", e)
	}
}

func TestTLS(t *testing.T) {
	t.Run("unknown authority", func(t *testing.T) {
		s := httptest.NewUnstartedServer(http.HandlerFunc(accept))
		s.Config.ErrorLog = quiet
		s.StartTLS()
		t.Cleanup(s.Close)
		_, err := putPart(t.Context(), newObject(t, s.URL, nil), bodyOf("x"))
		wantError(t, err, Permanent)
	})
	t.Run("no TLS there", func(t *testing.T) {
		s := httptest.NewUnstartedServer(http.HandlerFunc(accept))
		s.Config.ErrorLog = quiet
		s.Start()
		t.Cleanup(s.Close)
		_, err := putPart(t.Context(), newObject(t, strings.Replace(s.URL, "http:", "https:", 1), nil), bodyOf("x"))
		wantError(t, err, Permanent)
	})
	t.Run("known authority", func(t *testing.T) {
		s := httptest.NewTLSServer(http.HandlerFunc(accept))
		t.Cleanup(s.Close)
		o := newObject(t, s.URL, &Options{HTTPClient: s.Client()})
		if _, err := putPart(t.Context(), o, bodyOf(data(2<<20))); err != nil {
			t.Error(err)
		}
	})
}

// dialError is a client that cannot connect.
func dialError(err error) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, err },
	}}
}

func TestNoConnection(t *testing.T) {
	for name, cause := range map[string]error{
		"refused":      &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
		"no such host": &net.DNSError{Err: "no such host", Name: "media.oss-cn-hangzhou.aliyuncs.com", IsNotFound: true},
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{HTTPClient: dialError(cause)})
			_, err := putPart(t.Context(), o, bodyOf("x"))
			if e := wantError(t, err, Retry); !errors.Is(e, cause) || !e.Unsent || strings.Contains(e.Error(), "://") {
				t.Errorf("got %v", e)
			}
		})
	}
}

func TestProxyThatRefuses(t *testing.T) {
	for status, class := range map[int]Class{407: Permanent, 502: Retry} {
		proxy, err := url.Parse(serveRaw(t, func(c *serverConn) {
			if c.request() != nil {
				c.answer(status, "", "")
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		proxy.User = url.UserPassword("user", "proxy-secret")
		o := newObject(t, "https://oss-cn-hangzhou.aliyuncs.com", nil)
		o.client.own.Proxy = http.ProxyURL(proxy)
		_, err = putPart(t.Context(), o, bodyOf("x"))
		e := wantError(t, err, class)
		if !strings.Contains(e.Error(), fmt.Sprint(status)) || strings.Contains(e.Error(), "proxy-secret") {
			t.Errorf("got %v", e)
		}
	}
}

// A transport of the user's says of a proxy's refusal no more than the words of its status.
func TestProxyOfTheUserThatRefuses(t *testing.T) {
	for refusal, want := range map[string]string{
		"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n": "Proxy Authentication Required",
		"HTTP/1.1 403 Forbidden\r\n\r\n":                     "Forbidden",
		"HTTP/1.1 200 OK\r\n\r\n":                            "", // it ends or is reset, as it happens
		"":                                                   "",
	} {
		proxy, err := url.Parse(serveRaw(t, func(c *serverConn) {
			if c.request() != nil {
				_, _ = io.WriteString(c.TCPConn, refusal)
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		proxy.User = url.UserPassword("user", "proxy-secret")
		o := newObject(t, "https://oss-cn-hangzhou.aliyuncs.com", &Options{HTTPClient: &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}})
		_, err = putPart(t.Context(), o, bodyOf("x"))
		e := wantError(t, err, Retry)
		if !strings.Contains(e.Error(), "through the proxy "+proxy.Host+": ") || !strings.Contains(e.Error(), want) || strings.Contains(e.Error(), "proxy-secret") {
			t.Errorf("got %v, want it to name the proxy", e)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	other := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/x", http.StatusFound) })
	user := &http.Client{}
	defer user.CloseIdleConnections()
	for name, c := range map[string]*http.Client{"our client": nil, "the user's client": user} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, url, &Options{HTTPClient: c})
			_, err := o.Head(t.Context(), testKey)
			if e := wantError(t, err, Permanent); e.Status != 302 || !strings.Contains(e.Error(), other[len("http://"):]) {
				t.Errorf("got %v", e)
			}
		})
	}
	if user.CheckRedirect != nil || user.Transport != nil {
		t.Error("the user's client was changed")
	}
}

// Answers whose body nobody wants must not cost their connection.
func TestConnectionsAreKept(t *testing.T) {
	var conns atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", "http://other.example/")
		status := map[string]int{"1": 200, "2": 307, "3": 403, "4": 502, "5": 599, "6": 204}[r.URL.Query().Get("partNumber")]
		w.WriteHeader(status)
		if status != 204 {
			fmt.Fprint(w, "<html>"+strings.Repeat("x", 10_000)+"</html>")
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	o := newObject(t, s.URL, nil)
	for n := range 6 {
		if _, err := o.UploadPart(t.Context(), testKey, "U", n+1, bodyOf("x"), nil); err == nil {
			t.Errorf("part %d: no error", n+1)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("got %d connections, want 1", n)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestSecretsOfATransportsErrorAreHidden(t *testing.T) {
	c := &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("cannot send %v to %s", r.Header, r.URL)
	})}
	o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{HTTPClient: c})
	_, err := o.Head(t.Context(), testToken)
	if e := wantError(t, err, Retry); strings.Contains(e.Error(), "sts-token") {
		t.Errorf("got %v", e)
	}
}

// Only a request that never had a connection is known not to be sent.
func TestUnsent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan struct{}) // net/http dials on for a request that was canceled
	defer close(end)
	dials := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		cancel()
		<-end
		return nil, errors.New("too late")
	}}
	o := newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{HTTPClient: &http.Client{Transport: dials}})
	_, err := o.Initiate(ctx, testKey, nil)
	if e := wantError(t, err, Canceled); !e.Unsent {
		t.Error("canceled while it dialed: it counts as sent")
	}
	_, err = o.Initiate(ctx, testKey, nil)
	if e := wantError(t, err, Canceled); !e.Unsent {
		t.Error("canceled before: it counts as sent")
	}
	ctx, cancel = context.WithCancel(t.Context())
	o = newObject(t, serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }), nil)
	_, err = o.Initiate(ctx, testKey, nil)
	if e := wantError(t, err, Canceled); e.Unsent {
		t.Error("canceled while the server works: it counts as not sent")
	}
	silent := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("no luck") })
	o = newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &Options{HTTPClient: &http.Client{Transport: silent}})
	_, err = o.Initiate(t.Context(), testKey, nil)
	if e := wantError(t, err, Retry); e.Unsent {
		t.Error("a transport that does not say whether it had a connection: it counts as not sent")
	}
}

// Where a server resets a request on an HTTP/2 connection, which goes on, it is not the
// connection that was stale: a request that is made again at once would fare no better.
func TestStreamThatIsReset(t *testing.T) {
	var n atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			accept(w, r)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	o := newObject(t, s.URL, &Options{HTTPClient: s.Client()})
	if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
		t.Fatal(err)
	}
	_, err := putPart(t.Context(), o, bodyOf("x"))
	wantError(t, err, Retry)
	if err != nil && !strings.Contains(err.Error(), "INTERNAL_ERROR") {
		t.Errorf("got %v, want the code", err)
	}
}
