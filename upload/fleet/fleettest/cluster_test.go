package fleettest_test

import (
	"context"
	"errors"
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

func TestMain(m *testing.M) {
	fleettest.Init()
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

func TestCluster(t *testing.T) {
	c := fleettest.Start(t, 3)
	nc := c.Connect()
	defer nc.Close()
	js := streams(t, nc)
	s, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	put(t, js, "three nodes")

	follower := (c.Leader("S") + 1) % 3 // no election, which takes seconds
	c.Kill(follower)
	put(t, js, "two nodes")
	c.Restart(follower)
	c.Ready()
	put(t, js, "three nodes again")

	if runtime.GOOS != "windows" {
		c.Stop(follower)
		put(t, js, "two that answer")
		c.Continue(follower)
		put(t, js, "after a stop")
	}
	info, err := s.Info(t.Context())
	if err != nil || info.State.Msgs < 3 {
		t.Errorf("stream has %+v (%v), want all messages", info, err)
	}
}

func TestProxy(t *testing.T) {
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
