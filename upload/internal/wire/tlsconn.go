package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// tlsBuffer is copyBuffer over TLS, where a connection keeps the records of a piece as well,
// also while it is idle.
const tlsBuffer = min(copyBuffer, 64<<10)

var tlsBuffers = newBuffers(tlsBuffer)

const handshakeTimeout = 10 * time.Second

// A tlsConn is a connection of our own client with TLS. Package tls hands each record of
// 16 KiB to the connection by itself; here those of a piece of a body go together, which
// saves three system calls of four.
type tlsConn struct {
	*tls.Conn
	records *records
}

// ReadFrom copies r, which net/http calls for the bodies of requests.
func (c *tlsConn) ReadFrom(r io.Reader) (int64, error) { return copyBody(c, r, tlsBuffers) }

// Write writes p, whose records go to the connection together.
func (c *tlsConn) Write(p []byte) (int, error) {
	c.records.hold()
	n, err := c.Conn.Write(p)
	if sent := c.records.send(); err == nil {
		err = sent
	}
	return n, err
}

// Close closes the connection, also while a Write waits for the other side: package tls
// would wait for that, to tell the other side of the end.
func (c *tlsConn) Close() error {
	if c.records.mu.TryLock() {
		c.records.mu.Unlock()
	} else {
		_ = c.records.Conn.Close()
	}
	return c.Conn.Close()
}

// records is the connection under TLS.
type records struct {
	net.Conn

	mu      sync.Mutex
	holding bool
	held    []byte
}

// NetConn returns the connection that the records go to.
func (r *records) NetConn() net.Conn { return r.Conn }

// hold keeps what is written from now on until send is called.
func (r *records) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holding = true
}

// Write writes a record.
func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holding {
		r.held = append(r.held, p...)
		return len(p), nil
	}
	return r.Conn.Write(p)
}

// send writes what was kept.
func (r *records) send() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.Conn.Write(r.held)
	r.holding, r.held = false, r.held[:0]
	return err
}

// dialTLS returns what dials for t where there is no proxy.
func dialTLS(t *http.Transport) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := t.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		config := new(tls.Config)
		if t.TLSClientConfig != nil {
			config = t.TLSClientConfig.Clone()
		}
		config.ServerName, _, _ = net.SplitHostPort(addr)
		config.NextProtos = []string{"http/1.1"}
		r := &records{Conn: c}
		s := &tlsConn{tls.Client(r, config), r}
		within, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		if err = s.HandshakeContext(within); err == nil {
			return s, nil
		}
		_ = c.Close()
		if within.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("no TLS handshake within %v: %w", handshakeTimeout, os.ErrDeadlineExceeded)
		}
		return nil, err
	}
}
