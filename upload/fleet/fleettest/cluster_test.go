package fleettest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/upload/fleet/fleettest"
)

var long = flag.Bool("long", false, "run what takes half a minute, too")

func TestMain(m *testing.M) {
	fleettest.Init()
	_ = flag.Set("test.parallel", "8") // they wait, most of the time
	goleak.VerifyTestMain(m)
}

func streams(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// put writes a message, however long an election takes.
func put(t *testing.T, js jetstream.JetStream, text string) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err = js.Publish(ctx, "s", []byte(text))
		cancel()
		if err == nil {
			return
		}
	}
	t.Fatalf("publish %q: %v", text, err)
}

// stream makes a stream, however long the election of its leader takes. A request that
// reaches nobody who leads is never answered.
func stream(t *testing.T, js jetstream.JetStream, replicas int) jetstream.Stream {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		var s jetstream.Stream
		s, err = js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Replicas: replicas})
		cancel()
		if err == nil {
			return s
		}
	}
	t.Fatalf("make the stream: %v", err)
	return nil
}

func TestNode(t *testing.T) {
	t.Parallel()
	c := fleettest.Start(t, 1)
	nc := c.Connect()
	defer nc.Close()
	js := streams(t, nc)
	s := stream(t, js, 1)
	put(t, js, "before")
	c.Kill(0)
	c.Restart(0)
	put(t, js, "after")
	if info, err := s.Info(t.Context()); err != nil || info.State.Msgs != 2 {
		t.Errorf("stream has %+v (%v), want both messages", info, err)
	}
	if runtime.GOOS != "linux" {
		return // what follows looks at /proc
	}
	for range 20 {
		c.Stop(0)
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", fleettest.PID(c, 0))); err != nil || !strings.Contains(string(stat), ") T ") {
			t.Fatalf("when Stop returns, the node is %s (%v), want it stopped", stat, err)
		}
		c.Continue(0)
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := fleettest.Start(t, 3)
	nc := c.Connect()
	defer nc.Close()
	js := streams(t, nc)
	s := stream(t, js, 3)
	put(t, js, "three nodes")

	leader := c.Leader("S")
	follower := (leader + 1) % 3 // no election of this stream's, which takes seconds
	near, err := nats.Connect(c.URL(leader))
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	js = streams(t, near) // a client of a stopped node waits for it
	if runtime.GOOS != "windows" {
		c.Stop(follower)
		put(t, js, "two that answer")
		c.Continue(follower)
		put(t, js, "after a stop")
	}
	if *long { // the follower may lead the cluster: the next leader of that may take 10 s
		c.Kill(follower)
		put(t, js, "two nodes")
		c.Restart(follower)
		c.Ready()
		put(t, js, "three nodes again")
	}
	info, err := s.Info(t.Context())
	if err != nil || info.State.Msgs == 0 { // a put may have been made twice
		t.Errorf("stream has %+v (%v), want the messages", info, err)
	}
}

func TestClusterIsDivided(t *testing.T) {
	t.Parallel()
	c := fleettest.StartDivisible(t, 3)
	nc := c.Connect()
	defer nc.Close()
	stream(t, streams(t, nc), 3)
	leader := c.Leader("S")
	node := func(i int) jetstream.JetStream {
		nc, err := nats.Connect(c.URL(i))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return streams(t, nc)
	}
	alone := (leader + 1) % 3 // no election of this stream's, which takes seconds
	far, near := node(alone), node(leader)
	put(t, far, "three nodes")

	c.Isolate(alone)
	put(t, near, "two that reach each other")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := far.Publish(ctx, "s", []byte("one alone")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the node is cut off: error is %v, want %v", err, context.DeadlineExceeded)
	}
	c.Heal()
	put(t, far, "three nodes again")

	c.Cut(alone, (leader+2)%3)
	put(t, far, "followers do not need each other")
}

func TestProxy(t *testing.T) {
	t.Parallel()
	c := fleettest.Start(t, 1)
	p := c.Proxy()
	nc := p.Connect()
	defer nc.Close()
	if err := nc.FlushTimeout(time.Minute); err != nil {
		t.Fatalf("through the proxy: %v", err)
	}
	p.Partition()
	if err := nc.FlushTimeout(50 * time.Millisecond); !errors.Is(err, nats.ErrTimeout) {
		t.Errorf("while the way is cut: error is %v, want %v", err, nats.ErrTimeout)
	}
	around := c.Connect()
	defer around.Close()
	if err := around.FlushTimeout(time.Minute); err != nil {
		t.Errorf("around the proxy: %v", err)
	}
	p.Heal()
	if err := nc.FlushTimeout(time.Minute); err != nil {
		t.Errorf("after the way was opened again: %v", err)
	}
}

// TestNodesEndWithTheProcess runs a test that ends in the middle, with a stopped node.
func TestNodesEndWithTheProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("looks at /proc")
	}
	test := exec.Command("/proc/self/exe", "-test.run=^TestThatDies$", "-dies")
	test.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := test.CombinedOutput()
	if err == nil {
		t.Fatalf("the test did not die: %s", out)
	}
	_, text, ok := strings.Cut(string(out), "nodes: ")
	if !ok {
		t.Fatalf("no nodes in %s", out)
	}
	pids := strings.Fields(strings.SplitN(text, "\n", 2)[0])
	if len(pids) != 2 {
		t.Fatalf("nodes are %v, want two", pids)
	}
	for _, pid := range pids {
		for deadline := time.Now().Add(time.Minute); alive(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("node %s is still running", pid)
			}
		}
	}
}
