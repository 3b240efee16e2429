package memnet

import (
	"fmt"
	"net"
	"sync"
)

// Listen listens at an address, for example "oss.test:80".
func (n *Network) Listen(address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr(address), Err: net.ErrClosed}
	}
	if n.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr(address), Err: fmt.Errorf("the address is in use")}
	}
	l := &listener{n: n, addr: addr(address)}
	l.changed.L = &n.mu
	n.listeners[address] = l
	return l, nil
}

// A listener has the connections that nobody has accepted yet. Network.mu guards it.
type listener struct {
	n       *Network
	addr    addr
	changed sync.Cond
	waiting []*conn
	closed  bool
}

func (l *listener) Accept() (net.Conn, error) {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	for len(l.waiting) == 0 && !l.closed {
		l.changed.Wait()
	}
	if l.closed {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	c := l.waiting[0]
	l.waiting = l.waiting[1:]
	return c, nil
}

func (l *listener) Addr() net.Addr { return l.addr }

// Close closes the listener, and the connections that nobody has accepted.
func (l *listener) Close() error {
	l.n.mu.Lock()
	defer l.n.mu.Unlock()
	l.closeLocked()
	return nil
}

func (l *listener) closeLocked() {
	if l.closed {
		return
	}
	l.closed = true
	delete(l.n.listeners, string(l.addr))
	for _, c := range l.waiting {
		c.closeLocked()
	}
	l.changed.Broadcast()
}
