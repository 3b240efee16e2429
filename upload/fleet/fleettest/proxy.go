package fleettest

import (
	"strings"

	"github.com/nats-io/nats.go"
)

// A Proxy is a way to the nodes that can be cut: clients that connect through it are in
// another part of the network.
type Proxy struct {
	cluster *Cluster
	relay   *relay
	urls    []string
}

// Proxy returns a way to the nodes that ends with the test.
func (c *Cluster) Proxy() *Proxy {
	c.t.Helper()
	p := &Proxy{cluster: c, relay: newRelay(c.t)}
	for _, n := range c.nodes {
		p.urls = append(p.urls, "nats://"+p.relay.way(c.t, n.spec.Addr))
	}
	return p
}

// URLs returns the addresses through which the nodes are reached.
func (p *Proxy) URLs() string { return strings.Join(p.urls, ",") }

// Connect connects through the proxy, and never around it. The caller closes the
// connection.
func (p *Proxy) Connect(options ...nats.Option) *nats.Conn {
	p.cluster.t.Helper()
	return connect(p.cluster.t, p.URLs(), append([]nats.Option{nats.IgnoreDiscoveredServers()}, options...))
}

// Partition cuts the way: nothing comes through, in either direction, and no connection
// ends. What was sent meanwhile arrives after [Proxy.Heal].
func (p *Proxy) Partition() { p.relay.cut() }

// LoseAnswers cuts the way back alone: what clients send arrives, and they do not hear
// of it until [Proxy.Heal].
func (p *Proxy) LoseAnswers() { p.relay.loseAnswers() }

// Heal opens the way again.
func (p *Proxy) Heal() { p.relay.heal() }
