package osscallback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHandlerAnswersAsOSSWantsIt(t *testing.T) {
	for what, tt := range map[string]struct {
		answer any
		err    error
		status int
		body   string
	}{
		"nothing":         {nil, nil, 200, `{"Status":"OK"}`},
		"a value":         {map[string]int{"id": 7}, nil, 200, `{"id":7}`},
		"JSON":            {json.RawMessage(`[1]`), nil, 200, `[1]`},
		"an error":        {1, errors.New("database at postgres://me:hunter2@db"), 500, `{"Code":"InternalError","Message":"The server's log says more."}`},
		"no JSON":         {func() {}, nil, 500, `{"Code":"InternalError","Message":"The server's log says more."}`},
		"more than 1 MiB": {strings.Repeat("a", 1<<20), nil, 500, `{"Code":"InternalError","Message":"The server's log says more."}`},
	} {
		t.Run(what, func(t *testing.T) {
			h := newVerifier(t, Options{}).Handler(func(ctx context.Context, e *Event) (any, error) {
				left, ok := ctx.Deadline()
				if wait := time.Until(left); !ok || wait > 4500*time.Millisecond || e.Object != "k" {
					t.Errorf("got %v of object %q, want less than 5 s", wait, e.Object)
				}
				return tt.answer, tt.err
			})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, newCallback("/stored", "object=k"))
			if w.Code != tt.status || w.Body.String() != tt.body || w.Header().Get("Content-Length") != strconv.Itoa(len(tt.body)) ||
				w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("got %d %s %v, want %d %s", w.Code, w.Body, w.Header(), tt.status, tt.body)
			}
		})
	}
}

func TestHandlerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // within a second
		var log bytes.Buffer
		h := newVerifier(t, Options{Secrets: [][]byte{bytes.Repeat([]byte("s"), 16)}, MaxBody: 100, Logger: slog.New(slog.NewTextHandler(&log, nil))}).
			Handler(func(context.Context, *Event) (any, error) {
				t.Error("the handler was called")
				return nil, nil
			})
		unsigned, altered, large := newCallback("/", "a=1"), newCallback("/", "a=1"), newCallback("/", strings.Repeat("a", 101))
		unsigned.Header.Del("Authorization")
		altered.RequestURI = "/x"
		for what, tt := range map[string]struct {
			r      *http.Request
			status int
			code   string
		}{
			"unsigned": {unsigned, 403, "Unsigned"}, "altered": {altered, 403, "SignatureDoesNotMatch"}, "large": {large, 413, "RequestTooLarge"},
			"no token": {newCallback("/", "bucket=b&object=k"), 403, "InvalidToken"}, "no form": {newCallback("/", "a=%zz"), 400, "InvalidBody"},
		} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, tt.r)
			var got struct{ Code, Message string }
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != tt.status || got.Code != tt.code || got.Message == "" {
				t.Errorf("%s: got %d %s, want %d %s", what, w.Code, w.Body, tt.status, tt.code)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("the log has %d lines within a second, want one:\n%s", n, log.String())
		}
	})
}

func TestMiddlewareLeavesTheRequestAsItWas(t *testing.T) {
	h := newVerifier(t, Options{}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, ok := FromContext(r.Context())
		body, err := io.ReadAll(r.Body)
		if !ok || err != nil || string(body) != "object=k" || e.Object != "k" {
			t.Errorf("got %+v and the body %q, %v", e, body, err)
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newCallback("/stored", "object=k"))
	if w.Code != http.StatusTeapot {
		t.Errorf("got %d, want what the handler says", w.Code)
	}
	if _, ok := FromContext(t.Context()); ok {
		t.Error("a context without an event has one")
	}
}

// A request whose body does not come ends before OSS would have given up.
func TestBodyThatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		server := &http.Server{Handler: newVerifier(t, Options{}).Handler(func(context.Context, *Event) (any, error) {
			t.Error("the handler was called")
			return nil, nil
		})}
		l := &oneConn{conn: ours, closed: make(chan struct{})}
		go func() { _ = server.Serve(l) }()
		begin := time.Now()
		go func() {
			r := newCallback("/stored", "object=k")
			_, _ = io.WriteString(theirs, "POST /stored HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\nAuthorization: "+r.Header.Get("Authorization")+
				"\r\nX-Oss-Pub-Key-Url: "+r.Header.Get("X-Oss-Pub-Key-Url")+"\r\n\r\nobject")
		}()
		answer := make([]byte, 1000)
		n, err := theirs.Read(answer)
		if took := time.Since(begin); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 400 ") || took != patience {
			t.Errorf("got %q, %v after %v; want 400 after %v", answer[:n], err, took, patience)
		}
		_ = theirs.Close()
		_ = server.Close()
	})
}

// A oneConn is a listener with one connection.
type oneConn struct {
	conn   net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { close(l.closed); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
