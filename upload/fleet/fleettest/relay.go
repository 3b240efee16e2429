package fleettest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A relay is a number of ways through the network of a test that are cut and healed
// together.
type relay struct {
	mu    sync.Mutex
	there gate // to where the ways lead
	back  gate
	conns map[net.Conn]struct{} // nil: it was closed
	wg    sync.WaitGroup

	listeners []net.Listener // of the goroutine of the test
}

// newRelay returns a relay without ways, which ends with the test.
func newRelay(t testing.TB) *relay {
	r := &relay{there: openGate(), back: openGate(), conns: make(map[net.Conn]struct{})}
	t.Cleanup(r.close)
	return r
}

// way returns an address by which another one is reached.
func (r *relay) way(t testing.TB, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.listeners = append(r.listeners, l)
	r.wg.Go(func() { r.serve(l, to) })
	return l.Addr().String()
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.there.close()
	r.back.close()
}

func (r *relay) loseAnswers() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.back.close()
}

func (r *relay) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.there.open()
	r.back.open()
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

func (r *relay) serve(l net.Listener, to string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		r.wg.Go(func() { r.join(client, to) })
	}
}

// join copies between a client and a node until either ends.
func (r *relay) join(client net.Conn, to string) {
	defer client.Close()
	if !r.add(client) {
		return
	}
	defer r.drop(client)
	r.wait(&r.there)
	node, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer node.Close()
	if !r.add(node) {
		return
	}
	defer r.drop(node)
	var wg sync.WaitGroup
	wg.Go(func() { r.copy(node, client, &r.there) })
	wg.Go(func() { r.copy(client, node, &r.back) })
	wg.Wait()
}

// copy ends both connections when one of them has ended.
func (r *relay) copy(to, from net.Conn, g *gate) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		r.wait(g)
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

// wait returns when a gate is open.
func (r *relay) wait(g *gate) {
	r.mu.Lock()
	opened := g.opened
	r.mu.Unlock()
	<-opened
}

func (r *relay) add(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *relay) drop(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

func (r *relay) close() {
	for _, l := range r.listeners {
		l.Close()
	}
	r.heal()
	r.mu.Lock()
	var open []io.Closer
	for c := range r.conns {
		open = append(open, c)
	}
	r.conns = nil
	r.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
	r.wg.Wait()
}
