package wire

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// A serverConn is the server's end of a connection, for tests that break one.
type serverConn struct {
	*net.TCPConn
	*bufio.Reader
	number int           // of the connection, from 0
	stop   chan struct{} // closed when the test is over
}

// Read reads through the buffer.
func (c *serverConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// WriteTo hides the one of the connection, which would go around the buffer.
func (c *serverConn) WriteTo(w io.Writer) (int64, error) { return c.Reader.WriteTo(w) }

// request reads the head of a request. Its body is still to be read.
func (c *serverConn) request() *http.Request {
	r, err := http.ReadRequest(c.Reader)
	if err != nil {
		return nil
	}
	return r
}

// answer sends a whole answer.
func (c *serverConn) answer(status int, header, body string) {
	fmt.Fprintf(c.TCPConn, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s", status, len(body), header, body)
}

// reset closes the connection so that the other side sees ECONNRESET.
func (c *serverConn) reset() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// serveRaw starts a server that hands each connection to h, and closes it afterwards.
func serveRaw(t testing.TB, h func(c *serverConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				defer c.Close()
				h(&serverConn{TCPConn: c.(*net.TCPConn), Reader: bufio.NewReaderSize(c, 4096), number: n, stop: stop})
			})
		}
	})
	t.Cleanup(func() {
		close(stop)
		_ = l.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return "http://" + l.Addr().String()
}

// inMemory returns the object at a server without sockets, for tests in fake time,
// where how long something takes does not depend on the machine. h serves each
// connection; it has to return when the connection is closed.
func inMemory(t testing.TB, o Options, h func(c net.Conn)) *Object {
	t.Helper()
	transport := NewTransport(new(net.Dialer).DialContext)
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			h(server)
		}()
		return client, nil
	}
	t.Cleanup(transport.CloseIdleConnections)
	o.HTTPClient = &http.Client{Transport: transport}
	return newObject(t, "http://oss-cn-hangzhou.aliyuncs.com", &o)
}

// takeRequest reads a whole request.
func takeRequest(c net.Conn) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return nil
	}
	_, _ = io.Copy(io.Discard, r.Body)
	return r
}
