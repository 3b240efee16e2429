package wire

import (
	"bufio"
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
