package jetstream_test

import (
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

// node is the server of all tests that do not stop it: each has its own namespaces.
var node *embedded.Server

func TestMain(m *testing.M) {
	fleettest.Init()
	runWorker()
	_ = flag.Set("test.parallel", "16") // they wait, most of the time
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fleet-test-")
	if err == nil {
		defer os.RemoveAll(dir)
		node, err = embedded.Run(&embedded.Options{Dir: dir})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	err = node.Close()
	if code == 0 && err == nil {
		err = leak()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// leak returns an error where goroutines do not end. It waits for them: goleak by itself
// gives them less than half a second, which is little for an engine on a busy machine.
func leak() error {
	err := goleak.Find()
	for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); {
		err = goleak.Find()
	}
	return err
}

func connect(t *testing.T, s *embedded.Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect(nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

var namespaces atomic.Int32

// namespace returns a namespace that no other test uses.
func namespace() string { return fmt.Sprintf("test-%d", namespaces.Add(1)) }

func open(t *testing.T, nc *nats.Conn, o jetstream.Options) *jetstream.Store {
	t.Helper()
	if o.Namespace == "" {
		o.Namespace = namespace()
	}
	o.SyncAlways = true
	s, err := jetstream.Open(t.Context(), nc, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	nc := connect(t, node)
	checkpointtest.Run(t, func(t *testing.T) checkpoint.Store {
		return open(t, nc, jetstream.Options{})
	})
}
