package fleettest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/upload/fleet/embedded"
)

// readyTimeout is when a cluster is taken never to have a leader. It is no measure.
const readyTimeout = 2 * time.Minute

// A Cluster is a number of nodes. Its methods fail the test when they cannot do what they
// say; they are called by the goroutine of the test. Nodes are counted from 0.
type Cluster struct {
	t     testing.TB
	dir   string
	nodes []*node

	network *network // between the nodes; nil: they reach each other directly
}

type node struct {
	spec    spec
	process *process // nil: not running
}

// Start runs a cluster of n nodes, one of which is a server by itself, and returns when
// all of them take part. They end with the test.
func Start(t testing.TB, n int) *Cluster {
	t.Helper()
	routes := ownAddrs(t, n)
	return start(t, n, func(i int) *embedded.Cluster {
		if n == 1 {
			return nil
		}
		return &embedded.Cluster{Name: "fleettest", Addr: routes[i], Routes: routes}
	})
}

// StartDivisible is [Start] for nodes that can be cut off from each other: all that they
// send each other goes through the process of the test.
func StartDivisible(t testing.TB, n int) *Cluster {
	t.Helper()
	addrs := ownAddrs(t, n)
	network := newNetwork(t, addrs)
	c := start(t, n, func(i int) *embedded.Cluster {
		return &embedded.Cluster{Name: "fleettest", Addr: addrs[i], Routes: network.routes(t, i, addrs), Advertise: network.astray}
	})
	c.network = network
	return c
}

// start runs nodes, of which cluster returns what they know of the others.
func start(t testing.TB, n int, cluster func(i int) *embedded.Cluster) *Cluster {
	t.Helper()
	c := &Cluster{t: t, dir: t.TempDir()}
	t.Cleanup(c.close)
	clients := ownAddrs(t, n)
	for i := range n {
		name := fmt.Sprintf("n%d", i)
		c.nodes = append(c.nodes, &node{spec: spec{
			Name: name, Dir: filepath.Join(c.dir, name), Addr: clients[i], Cluster: cluster(i),
		}})
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	c.run(all...)
	c.Ready()
	return c
}

// ownAddrs returns addresses that are t's until its end, although nobody listens on them
// yet. Nodes keep theirs when they are started again, so that they cannot just listen on
// any. An odd port belongs to the test that listens on the even one before it, whichever
// process that is in; and all are below those that systems give to connections.
func ownAddrs(t testing.TB, n int) []string {
	t.Helper()
	var addrs []string
	for tries := 0; len(addrs) < n; tries++ {
		port := 10_000 + 2*rand.IntN(10_000)
		addr := fmt.Sprintf("127.0.0.1:%d", port+1)
		err := reserve(t, fmt.Sprintf("127.0.0.1:%d", port), addr)
		if err == nil {
			addrs = append(addrs, addr)
		} else if tries == 1000 {
			t.Fatal(err)
		}
	}
	return addrs
}

// reserve listens on owner until the end of the test, if nobody listens on addr.
func reserve(t testing.TB, owner, addr string) error {
	l, err := net.Listen("tcp", owner)
	if err != nil {
		return err
	}
	other, err := net.Listen("tcp", addr)
	if err != nil { // by a program that does not reserve its ports
		_ = l.Close()
		return err
	}
	t.Cleanup(func() { _ = l.Close() })
	return other.Close()
}

// URLs returns the addresses of all nodes, as [nats.Connect] takes them.
func (c *Cluster) URLs() string {
	urls := make([]string, len(c.nodes))
	for i := range c.nodes {
		urls[i] = c.URL(i)
	}
	return strings.Join(urls, ",")
}

// URL returns the address of a node.
func (c *Cluster) URL(i int) string { return "nats://" + c.nodes[i].spec.Addr }

// Connect connects to any of the nodes, and again to any when that one is gone. The
// caller closes the connection.
func (c *Cluster) Connect(options ...nats.Option) *nats.Conn {
	c.t.Helper()
	return connect(c.t, c.URLs(), options)
}

func connect(t testing.TB, urls string, options []nats.Option) *nats.Conn {
	t.Helper()
	own := []nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.RetryOnFailedConnect(true)}
	nc, err := nats.Connect(urls, append(own, options...)...)
	if err != nil {
		t.Fatalf("fleettest: connect: %v", err)
	}
	return nc
}

// Kill ends a node as SIGKILL does.
func (c *Cluster) Kill(i int) {
	c.t.Helper()
	c.running(i).kill()
	c.nodes[i].process = nil
}

// Stop stops a node as SIGSTOP does, and returns when it is stopped: its connections stay
// and nothing answers. A test that calls it on Windows is skipped.
func (c *Cluster) Stop(i int) {
	c.t.Helper()
	c.signal(i, stopProcess)
}

// Continue continues a stopped node.
func (c *Cluster) Continue(i int) {
	c.t.Helper()
	c.signal(i, continueProcess)
}

// Restart runs a killed node again, with the data that it had.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	if c.nodes[i].process != nil {
		c.t.Fatalf("fleettest: node %d is running: kill it first", i)
	}
	c.run(i)
}

// Leader returns which node leads a stream, after waiting for one that does.
func (c *Cluster) Leader(stream string) (leader int) {
	c.t.Helper()
	c.poll("stream "+stream+" has no leader", func(ctx context.Context, js jetstream.JetStream) error {
		s, err := js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		leader = 0
		info := s.CachedInfo()
		if info.Cluster == nil || len(c.nodes) == 1 {
			return nil
		}
		for i, n := range c.nodes {
			if n.spec.Name == info.Cluster.Leader {
				leader = i
				return nil
			}
		}
		return fmt.Errorf("its leader is %q", info.Cluster.Leader)
	})
	return leader
}

// Ready returns when all nodes take part: when there can be a stream on all of them.
func (c *Cluster) Ready() {
	c.t.Helper()
	tries := 0
	c.poll("the cluster is not ready", func(ctx context.Context, js jetstream.JetStream) error {
		// Another name each time: the election of one stream's leader may take seconds.
		tries++
		name := fmt.Sprintf("fleettest_ready_%d", tries)
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{name}, Replicas: len(c.nodes), Storage: jetstream.MemoryStorage})
		if err != nil {
			return err
		}
		return js.DeleteStream(ctx, name)
	})
}

// poll tries until it works.
func (c *Cluster) poll(what string, try func(ctx context.Context, js jetstream.JetStream) error) {
	c.t.Helper()
	nc := c.Connect()
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		c.t.Fatal(err)
	}
	patience := 250 * time.Millisecond // a request without a leader is never answered
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := try(ctx, js)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("fleettest: %s: %v", what, err)
		}
		patience = min(2*patience, 5*time.Second)
	}
}

// run runs nodes, all at the same moment: one that asks for votes before it reaches the
// others votes for itself, and the next election is seconds later.
func (c *Cluster) run(nodes ...int) {
	c.t.Helper()
	for _, i := range nodes {
		n := c.nodes[i]
		p, err := startProcess(n.spec, c.log(n))
		if err != nil {
			c.t.Fatal(err)
		}
		n.process = p
	}
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for k, i := range nodes {
		wg.Go(func() { errs[k] = c.nodes[i].process.serve() })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *Cluster) running(i int) *process {
	c.t.Helper()
	p := c.nodes[i].process
	if p == nil {
		c.t.Fatalf("fleettest: node %d is not running", i)
	}
	return p
}

func (c *Cluster) signal(i int, send func(*os.Process) error) {
	c.t.Helper()
	err := send(c.running(i).cmd.Process)
	if errors.Is(err, errors.ErrUnsupported) {
		c.t.Skip("processes cannot be stopped on this system")
	}
	if err != nil {
		c.t.Fatalf("fleettest: node %d: %v", i, err)
	}
}

func (c *Cluster) log(n *node) string { return filepath.Join(c.dir, n.spec.Name+".log") }

// close ends all nodes. What they logged is of interest if the test has failed.
func (c *Cluster) close() {
	for _, n := range c.nodes {
		if n.process != nil {
			n.process.kill()
		}
		if log, err := os.ReadFile(c.log(n)); err == nil && c.t.Failed() {
			const most = 4 << 10
			c.t.Logf("node %s logged:\n%s", n.spec.Name, log[max(0, len(log)-most):])
		}
	}
}
