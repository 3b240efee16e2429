package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A countedConn counts what is written to it.
type countedConn struct {
	net.Conn
	writes atomic.Int32
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// testTLS returns the configurations of a server and of its clients.
func testTLS() (server, client *tls.Config) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return s.TLS, s.Client().Transport.(*http.Transport).TLSClientConfig
}

// overPipe returns a connection with TLS, what is under it, and its other end.
func overPipe(t *testing.T, conf, trust *tls.Config) (*tlsConn, *countedConn, *tls.Conn) {
	t.Helper()
	client, server := net.Pipe()
	counted := &countedConn{Conn: client}
	dial := func(context.Context, string, string) (net.Conn, error) { return counted, nil }
	other := tls.Server(server, conf)
	go other.Handshake()
	c, err := dialTLS(&http.Transport{DialContext: dial, TLSClientConfig: trust})(t.Context(), "tcp", "example.com:443")
	if err != nil {
		t.Fatal(err)
	}
	return c.(*tlsConn), counted, other
}

func TestRecordsOfAPieceGoTogether(t *testing.T) {
	conf, trust := testTLS()
	c, counted, other := overPipe(t, conf, trust)
	before := counted.writes.Load()
	const pieces = 3
	sent := []byte(data(pieces * tlsBuffer))
	go func() {
		_, _ = c.ReadFrom(&sliceReader{sent})
		_ = c.Close()
	}()
	got, err := io.ReadAll(other)
	if err != nil || string(got) != string(sent) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if n := counted.writes.Load() - before; n > pieces+1 { // and the end
		t.Errorf("%d writes for %d pieces", n, pieces)
	}
}

// A sliceReader has no WriteTo.
type sliceReader struct{ left []byte }

func (r *sliceReader) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func TestCloseEndsAWriteOverTLS(t *testing.T) {
	conf, trust := testTLS()
	synctest.Test(t, func(t *testing.T) {
		c, _, other := overPipe(t, conf, trust)
		defer other.NetConn().Close()
		wrote := make(chan error, 1)
		go func() {
			_, err := c.Write([]byte(data(tlsBuffer)))
			wrote <- err
		}()
		synctest.Wait() // nobody reads at the other end
		began := time.Now()
		_ = c.Close()
		if err := <-wrote; err == nil || time.Since(began) > 0 {
			t.Errorf("Write returned %v after %v", err, time.Since(began))
		}
	})
}

func TestHandshakeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer server.Close()
		go io.Copy(io.Discard, server)
		dial := func(context.Context, string, string) (net.Conn, error) { return client, nil }
		_, err := dialTLS(&http.Transport{DialContext: dial})(t.Context(), "tcp", "example.com:443")
		if !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
