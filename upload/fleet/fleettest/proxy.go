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
	there gate // to the nodes
	back  gate // to the clients
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

// Proxy returns a way to the nodes that ends with the test.
func (c *Cluster) Proxy() *Proxy {
	c.t.Helper()
	p := &Proxy{cluster: c, there: openGate(), back: openGate(), conns: make(map[net.Conn]struct{})}
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
	p.there.close()
	p.back.close()
}

// LoseAnswers cuts the way back alone: what clients send arrives, and they do not hear
// of it until [Proxy.Heal].
func (p *Proxy) LoseAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back.close()
}

// Heal opens the way again.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.there.open()
	p.back.open()
}

// A gate is open when its channel is closed.
type gate struct{ opened chan struct{} }

func openGate() gate {
	g := gate{make(chan struct{})}
	close(g.opened)
	return g
}

func (g *gate) isOpen() bool {
	select {
	case <-g.opened:
		return true
	default:
		return false
	}
}

func (g *gate) close() {
	if g.isOpen() {
		g.opened = make(chan struct{})
	}
}

func (g *gate) open() {
	if !g.isOpen() {
		close(g.opened)
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
	p.wait(&p.there)
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
	wg.Go(func() { p.copy(node, client, &p.there) })
	wg.Go(func() { p.copy(client, node, &p.back) })
	wg.Wait()
}

// copy ends both connections when one of them has ended.
func (p *Proxy) copy(to, from net.Conn, g *gate) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.wait(g)
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

// wait returns when a gate is open.
func (p *Proxy) wait(g *gate) {
	p.mu.Lock()
	opened := g.opened
	p.mu.Unlock()
	<-opened
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
