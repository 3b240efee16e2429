package fleettest

import (
	"net"
	"sync"
	"testing"
)

// A network is what the nodes of a cluster reach each other through.
type network struct {
	relays map[pair]*relay
	astray string // an address that leads nowhere
}

// A pair is two nodes, the lower number first.
type pair [2]int

// newNetwork returns the network of the nodes that listen on these addresses for the others.
func newNetwork(t testing.TB, addrs []string) *network {
	t.Helper()
	w := &network{relays: make(map[pair]*relay), astray: nowhere(t)}
	for b := range addrs {
		for a := range b {
			w.relays[pair{a, b}] = newRelay(t)
		}
	}
	return w
}

// routes returns the addresses by which a node reaches the others.
func (w *network) routes(t testing.TB, from int, addrs []string) (routes []string) {
	t.Helper()
	for to, addr := range addrs {
		if to != from {
			routes = append(routes, w.between(from, to).way(t, addr))
		}
	}
	return routes
}

func (w *network) between(a, b int) *relay { return w.relays[pair{min(a, b), max(a, b)}] }

// nowhere returns an address where each connection ends at once. Nodes tell each other the
// addresses of third ones, and would connect around the network.
func nowhere(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

// Cut cuts two nodes of [StartDivisible] off from each other: nothing comes through, and no
// connection ends. What was sent meanwhile arrives after [Cluster.Heal]. Clients reach both.
func (c *Cluster) Cut(a, b int) {
	c.t.Helper()
	if c.network == nil || a == b {
		c.t.Fatalf("fleettest: nodes %d and %d cannot be cut off from each other: they are one, or not of StartDivisible", a, b)
	}
	c.network.between(a, b).cut()
}

// Isolate cuts a node of [StartDivisible] off from all others.
func (c *Cluster) Isolate(i int) {
	c.t.Helper()
	for other := range c.nodes {
		if other != i {
			c.Cut(i, other)
		}
	}
}

// Heal ends all of Cut and Isolate.
func (c *Cluster) Heal() {
	c.t.Helper()
	if c.network == nil {
		c.t.Fatal("fleettest: Heal is for clusters of StartDivisible")
	}
	for _, r := range c.network.relays {
		r.heal()
	}
}
