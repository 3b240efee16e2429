package fleet_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
)

// engine is the engine of all tests that do not stop it. Each has a namespace of its own.
var engine *embedded.Server

func TestMain(m *testing.M) {
	fleettest.Init()
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(runChild(spec))
	}
	_ = flag.Set("test.parallel", "16") // they wait, most of the time
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fleet-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if engine, err = embedded.Run(&embedded.Options{Dir: dir, Addr: "127.0.0.1:0"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := engine.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if code != 0 {
		return code
	}
	if err := leak(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
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

// connect returns a connection to the engine that ends with the test.
func connect(t *testing.T) *nats.Conn {
	t.Helper()
	nc, err := engine.Connect(nats.Timeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

var (
	namespaces sync.Map // from the names of tests that run
	made       atomic.Int64
)

// namespace is the one of the test, another in each run of it.
func namespace(t *testing.T) string {
	t.Helper()
	ns, known := namespaces.LoadOrStore(t.Name(), fmt.Sprintf("test%d", made.Add(1)))
	if !known {
		t.Cleanup(func() { namespaces.Delete(t.Name()) })
	}
	return ns.(string)
}

func newQueue(t *testing.T) *fleet.Queue {
	t.Helper()
	q, err := fleet.NewQueue(t.Context(), connect(t), &fleet.QueueOptions{Namespace: namespace(t)})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// film returns a valid job; each name is another upload.
func film(name string) fleet.Job {
	return fleet.Job{
		Source: "file:///films/" + name, Endpoint: "oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: "in/" + name,
	}
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("still not: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
