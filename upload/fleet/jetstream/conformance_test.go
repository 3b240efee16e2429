package jetstream_test

import (
	"fmt"
	"path/filepath"
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

func TestMain(m *testing.M) {
	fleettest.Init()
	runWorker()
	goleak.VerifyTestMain(m)
}

// oneNode runs a server in this process.
func oneNode(t *testing.T) *embedded.Server {
	t.Helper()
	s, err := embedded.Run(&embedded.Options{Dir: filepath.Join(t.TempDir(), "nats")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
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
	nc := connect(t, oneNode(t))
	checkpointtest.Run(t, func(t *testing.T) checkpoint.Store {
		return open(t, nc, jetstream.Options{})
	})
}
