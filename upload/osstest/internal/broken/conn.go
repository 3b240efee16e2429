// Package broken breaks connections, and the bodies and answers that pass over
// them. What breaks, when, and in which call is up to its caller.
package broken

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// Err is the error of reading or writing in a call whose connection is broken.
var Err = errors.New("osstest: the connection was broken by a fault")

// A Conn is a connection that was taken out of the hands of net/http.
type Conn struct {
	net.Conn
	plain   net.Conn
	gone    chan struct{}
	unwatch func() bool
}

// Watch starts to watch for the client's end of a hijacked connection. It reads
// what still arrives. When ctx ends, writes end that wait for a client which does
// not read. The caller must call [Conn.Stop].
func Watch(ctx context.Context, conn net.Conn) *Conn {
	c := &Conn{Conn: conn, plain: plain(conn), gone: make(chan struct{})}
	c.unwatch = context.AfterFunc(ctx, func() { c.plain.SetDeadline(time.Unix(1, 0)) })
	go func() {
		defer close(c.gone)
		io.Copy(io.Discard, c.plain)
	}()
	return c
}

// Gone returns a channel that is closed when the client has closed its side.
func (c *Conn) Gone() <-chan struct{} { return c.gone }

// Stop closes the connection, and waits until nothing reads from it.
func (c *Conn) Stop() {
	c.unwatch()
	c.plain.Close()
	<-c.gone
}

// CloseWrite closes our side of the connection, so that the client sees its
// orderly end, and reports whether that was possible. The caller should wait for
// Gone before Stop: the system turns an end into a reset if there are bytes left
// that were not read.
func (c *Conn) CloseWrite() bool {
	half, ok := c.plain.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// Reset closes a connection so that the client gets a TCP reset: the system sends
// one when the connection is closed without time to linger.
func Reset(conn net.Conn) {
	conn = plain(conn)
	if l, ok := conn.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
	conn.Close()
}

// plain returns the TCP connection below TLS.
func plain(conn net.Conn) net.Conn {
	switch c := conn.(type) {
	case *Conn:
		return c.plain
	case interface{ NetConn() net.Conn }:
		return c.NetConn()
	}
	return conn
}
