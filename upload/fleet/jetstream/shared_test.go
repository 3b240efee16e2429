package jetstream_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

// endLeases does what the engine does when leases end.
func endLeases(t *testing.T, nc *nats.Conn, namespace string) {
	t.Helper()
	name := "VU_" + namespace
	if err := stream(t, nc, name).Purge(t.Context(), natsjs.WithPurgeSubject(name+".*.l")); err != nil {
		t.Fatal(err)
	}
}

func stream(t *testing.T, nc *nats.Conn, name string) natsjs.Stream {
	t.Helper()
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// runShared runs the suite of stores that machines share. A stopped store is one that
// nothing reaches and that has not seen any time pass when its leases end, so that the
// engine has to refuse it, and not its own clock.
func runShared(t *testing.T, c *fleettest.Cluster) {
	proxy := c.Proxy()
	far, near := proxy.Connect(), c.Connect()
	t.Cleanup(far.Close)
	t.Cleanup(near.Close)
	checkpointtest.RunShared(t, func(t *testing.T) checkpointtest.Pair {
		o := jetstream.Options{Namespace: namespace(), Lease: 6 * time.Second}
		return checkpointtest.Pair{
			A: open(t, far, o),
			B: open(t, near, o),
			Pause: func(t *testing.T) func() {
				proxy.Partition()
				endLeases(t, near, o.Namespace)
				return proxy.Heal
			},
		}
	})
}

func TestSharedStores(t *testing.T) {
	t.Parallel()
	runShared(t, fleettest.Start(t, 1))
}

func TestThreeNodes(t *testing.T) {
	t.Parallel()
	c := fleettest.Start(t, 3)
	t.Run("one store", func(t *testing.T) {
		if !*long {
			t.Log("left to -args -long, which CI runs: TestStore has the same on one node")
			return
		}
		nc := c.Connect()
		t.Cleanup(nc.Close)
		checkpointtest.Run(t, func(t *testing.T) checkpoint.Store {
			return open(t, nc, jetstream.Options{})
		})
	})
	t.Run("two stores", func(t *testing.T) { runShared(t, c) })
	nodesFail(t, c)
}
