package fleettest

import (
	"io"
	"net"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// A Proxy is a way to the nodes that can be cut: clients that connect through it are in
// another part of the network.
type Proxy struct {
	cluster   *Cluster
	listeners []net.Listener

	mu    sync.Mutex
	cut   chan struct{} // closed: the way is open
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

// Proxy returns a way to the nodes that ends with the test.
func (c *Cluster) Proxy() *Proxy {
	c.t.Helper()
	p := &Proxy{cluster: c, cut: make(chan struct{}), conns: make(map[net.Conn]struct{})}
	close(p.cut)
	c.t.Cleanup(p.close)
	for _, n := range c.nodes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			c.t.Fatal(err)
		}
		p.listeners = append(p.listeners, l)
		p.wg.Go(func() { p.serve(l, n.spec.Addr) })
	}
	return p
}

// URLs returns the addresses through which the nodes are reached.
func (p *Proxy) URLs() string {
	urls := make([]string, len(p.listeners))
	for i, l := range p.listeners {
		urls[i] = "nats://" + l.Addr().String()
	}
	return strings.Join(urls, ",")
}

// Connect connects through the proxy, and never around it. The caller closes the
// connection.
func (p *Proxy) Connect(options ...nats.Option) *nats.Conn {
	p.cluster.t.Helper()
	return connect(p.cluster.t, p.URLs(), append([]nats.Option{nats.IgnoreDiscoveredServers()}, options...))
}

// Partition cuts the way: nothing comes through, in either direction, and no connection
// ends. What was sent meanwhile arrives after [Proxy.Heal].
func (p *Proxy) Partition() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isOpenLocked() {
		p.cut = make(chan struct{})
	}
}

// Heal opens the way again.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.isOpenLocked() {
		close(p.cut)
	}
}

func (p *Proxy) isOpenLocked() bool {
	select {
	case <-p.cut:
		return true
	default:
		return false
	}
}

func (p *Proxy) serve(l net.Listener, to string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.join(client, to) })
	}
}

// join copies between a client and a node until either ends.
func (p *Proxy) join(client net.Conn, to string) {
	defer client.Close()
	if !p.add(client) {
		return
	}
	defer p.drop(client)
	p.wait()
	node, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer node.Close()
	if !p.add(node) {
		return
	}
	defer p.drop(node)
	var wg sync.WaitGroup
	wg.Go(func() { p.copy(node, client) })
	wg.Go(func() { p.copy(client, node) })
	wg.Wait()
}

// copy ends both connections when one of them has ended.
func (p *Proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.wait()
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

// wait returns when the way is open.
func (p *Proxy) wait() {
	p.mu.Lock()
	open := p.cut
	p.mu.Unlock()
	<-open
}

func (p *Proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) close() {
	for _, l := range p.listeners {
		l.Close()
	}
	p.Heal()
	p.mu.Lock()
	var open []io.Closer
	for c := range p.conns {
		open = append(open, c)
	}
	p.conns = nil
	p.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
	p.wg.Wait()
}
