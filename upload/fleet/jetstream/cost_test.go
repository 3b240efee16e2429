//go:build unix

package jetstream_test

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/fleet/fleettest"
)

var pairs = flag.Int("pairs", 0, "how many pairs of uploads TestCostOverBbolt measures")

// TestCostOverBbolt measures what a store on three nodes costs a worker: the CPU time of
// whole processes that upload one film of the smallest parts, in turns with bbolt and with
// the nodes. Of larger parts there are fewer.
func TestCostOverBbolt(t *testing.T) {
	if *pairs == 0 {
		t.Skip("give -args -pairs=9 for a measurement of some minutes")
	}
	cluster := fleettest.Start(t, 3)
	path := film(t, 2500)
	cpu := func(w worker) time.Duration {
		t.Helper()
		oss := newSlowOSS(t, 0)
		defer oss.Close()
		w.OSS, w.Path, w.Object = oss.url, path, "film.mp4"
		process, out := w.start(t)
		if err := process.Wait(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return process.ProcessState.UserTime() + process.ProcessState.SystemTime()
	}
	var ratios []float64
	for i := range *pairs {
		bbolt := worker{Dir: t.TempDir()}
		nodes := worker{NATS: cluster.URLs(), Namespace: namespace(), Lease: 30 * time.Second}
		var b, n time.Duration
		if i%2 == 0 {
			b, n = cpu(bbolt), cpu(nodes)
		} else {
			n, b = cpu(nodes), cpu(bbolt)
		}
		ratios = append(ratios, n.Seconds()/b.Seconds())
		t.Logf("bbolt %v, three nodes %v: %.3f", b, n, n.Seconds()/b.Seconds())
	}
	slices.Sort(ratios)
	t.Logf("%d pairs: the median ratio is %.3f", len(ratios), ratios[len(ratios)/2])
}
