package fleet_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
)

// engine is the engine of all tests that do not stop it. Each has a namespace of its own.
var engine *embedded.Server

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fleet-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if engine, err = embedded.Run(&embedded.Options{Dir: dir}); err != nil {
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
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// connect returns a connection to the engine that ends with the test.
func connect(t *testing.T) *nats.Conn {
	t.Helper()
	nc, err := engine.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// namespace is the one of the test.
func namespace(t *testing.T) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, t.Name())
	return name[max(0, len(name)-32):]
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
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("still not: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
