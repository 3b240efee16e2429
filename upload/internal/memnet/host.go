package memnet

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"
)

// dialTimeout is how long a connection may take to be made.
const dialTimeout = 10 * time.Second

// A Host is a machine, or a process, that connects to others.
type Host struct {
	n    *Network
	name string
	dead bool // guarded by Network.mu
}

// Host returns a host. Its name is for addresses only, and may be given several times.
func (n *Network) Host(name string) *Host { return &Host{n: n, name: name} }

// Kill ends the host as the end of its process does: what it has written still arrives,
// its connections are closed, and it makes no others.
func (h *Host) Kill() {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	h.dead = true
	for p := range h.n.pairs {
		if p.ends[0].host == h {
			p.ends[0].closeLocked()
		}
	}
	h.n.wakeLocked()
}

// DialContext connects to an address at which somebody listens. It is a DialContext of
// [net/http.Transport].
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := h.dial(ctx, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: err}
	}
	return c, nil
}

func (h *Host) dial(ctx context.Context, address string) (net.Conn, error) {
	if err := h.resolve(address); err != nil {
		return nil, err
	}
	if err := h.roundTrip(ctx); err != nil {
		if context.Cause(ctx) == context.DeadlineExceeded {
			return nil, os.ErrDeadlineExceeded
		}
		return nil, err
	}
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	l := h.n.listeners[address]
	switch {
	case h.dead || h.n.closed:
		return nil, net.ErrClosed
	case h.n.link.Refused || l == nil:
		return nil, os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	p := h.n.connectLocked(h, l.addr)
	l.waiting = append(l.waiting, p.ends[1])
	l.changed.Signal()
	return p.ends[0], nil
}

func (h *Host) resolve(address string) error {
	h.n.mu.Lock()
	defer h.n.mu.Unlock()
	if !h.n.link.NoNames {
		return nil
	}
	name, _, _ := net.SplitHostPort(address)
	return &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
}

// roundTrip waits for as long as a packet takes to the other side and back.
func (h *Host) roundTrip(ctx context.Context) error {
	for {
		h.n.mu.Lock()
		link, changed, over := h.n.link, h.n.changed, h.dead || h.n.closed
		h.n.mu.Unlock()
		var arrived <-chan time.Time
		if over {
			return nil
		}
		if !link.Silent {
			if link.Delay == 0 {
				return ctx.Err()
			}
			arrived = time.After(2 * link.Delay)
		}
		select {
		case <-arrived:
			return nil
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
