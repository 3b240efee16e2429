package memnet

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// A Link is how a network is for a time. The zero Link is without delay, limit or trouble.
type Link struct {
	Refused bool // connections are refused; those that there are stay
	NoNames bool // no name is resolved; the connections that there are stay

	// Silent means that nothing arrives. Nothing is lost, either: connections that live
	// to the end of the silence continue where they were, as by TCP's retransmissions.
	Silent bool

	Delay time.Duration // of each byte, one way
	Rate  int           // bytes per second, of each connection and direction; 0: no limit
}

// A Network is one network. Its methods may be called from any goroutine of the bubble
// that it was made in.
type Network struct {
	mu        sync.Mutex // guards all connections and hosts, too
	link      Link
	changed   chan struct{} // closed, and replaced, when the link has changed
	listeners map[string]*listener
	pairs     map[*pair]struct{}
	servers   []func()
	ports     int
	closed    bool
}

// New returns a network without trouble. The caller must call [Network.Close] at the end.
func New() *Network {
	return &Network{
		changed:   make(chan struct{}),
		listeners: make(map[string]*listener),
		pairs:     make(map[*pair]struct{}),
	}
}

// Set changes the link, at once and for all.
func (n *Network) Set(l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.link = l
	n.wakeLocked()
}

// Link returns the link of now.
func (n *Network) Link() Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link
}

// Cut resets all connections, and returns how many there were. What was under way is lost.
func (n *Network) Cut() int { return n.eachPair(func(p *pair) { p.cut = true }) }

// Strand makes all connections that there are silent for ever, as a router does that
// has forgotten them. It returns how many there were.
func (n *Network) Strand() int { return n.eachPair(func(p *pair) { p.stranded = true }) }

// Close closes all listeners, servers and connections, and waits for the servers.
func (n *Network) Close() {
	n.mu.Lock()
	servers := n.servers
	n.servers, n.closed = nil, true
	for _, l := range n.listeners {
		l.closeLocked()
	}
	n.wakeLocked()
	n.mu.Unlock()
	n.Cut()
	for _, stop := range servers {
		stop()
	}
}

func (n *Network) eachPair(do func(*pair)) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := len(n.pairs)
	for p := range n.pairs {
		do(p)
		p.changed.Broadcast()
	}
	return count
}

// wakeLocked wakes all who wait for the network.
func (n *Network) wakeLocked() {
	close(n.changed)
	n.changed = make(chan struct{})
	for p := range n.pairs {
		p.changed.Broadcast()
	}
}

// An addr is an address by name.
type addr string

func (a addr) Network() string { return "tcp" }
func (a addr) String() string  { return string(a) }

// portLocked returns an address of the host for another connection.
func (n *Network) portLocked(host string) addr {
	n.ports++
	return addr(net.JoinHostPort(host, fmt.Sprint(n.ports)))
}
