package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// writeLinger is how long a failed write waits for an answer to be read.
const writeLinger = 100 * time.Millisecond

// A conn is a connection of our own client.
type conn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}

	heard   atomic.Bool            // something came
	foreign atomic.Pointer[string] // what came first, if that is not HTTP
}

// NetConn returns the connection below.
func (c *conn) NetConn() net.Conn { return c.Conn }

type dialContext = func(ctx context.Context, network, addr string) (net.Conn, error)

// wrapping returns what dials by dial, and returns a conn.
func wrapping(dial dialContext) dialContext {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c, closed: make(chan struct{})}, nil
	}
}

// maxForeign is how much is kept of what is not HTTP.
const maxForeign = 64

// Read reads into p. net/http throws away what comes before the request is written, as
// the greeting of another service does; so its beginning is kept here.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.heard.Load() && c.heard.CompareAndSwap(false, true) {
		if begin := p[:min(n, maxForeign)]; !strings.HasPrefix("HTTP/", string(begin[:min(n, len("HTTP/"))])) {
			text := string(begin)
			c.foreign.Store(&text)
		}
	}
	return n, err
}

// Write writes p. When that fails because the server has closed the connection, an
// answer that says why may be on its way to the goroutine that reads; net/http would
// prefer the error (golang/go#11745), so it gets a little later.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		t := time.NewTimer(writeLinger)
		defer t.Stop()
		select {
		case <-c.closed:
		case <-t.C:
		}
	}
	return n, err
}

var plainBuffers = newBuffers(copyBuffer)

func newBuffers(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		b := make([]byte, size)
		return &b
	}}
}

// ReadFrom copies r, which net/http calls for the bodies of requests. The one of
// net.TCPConn makes a new buffer each time.
func (c *conn) ReadFrom(r io.Reader) (int64, error) { return copyBody(c, r, plainBuffers) }

// copyBody copies r to w, in pieces as large as the buffers.
func copyBody(w io.Writer, r io.Reader, buffers *sync.Pool) (int64, error) {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	return io.CopyBuffer(struct{ io.Writer }{w}, r, *b)
}

// Close closes the connection.
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
