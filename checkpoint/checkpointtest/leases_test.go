package checkpointtest_test

import (
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
)

func TestLeasedStoreConforms(t *testing.T) {
	checkpointtest.Run(t, func(*testing.T) checkpoint.Store { return checkpointtest.NewLeases().Store("worker") })
}

func TestLeasedStoreIsShared(t *testing.T) {
	checkpointtest.RunShared(t, func(*testing.T) checkpointtest.Pair {
		l := checkpointtest.NewLeases()
		a, b := l.Store("worker-1"), l.Store("worker-2")
		return checkpointtest.Pair{A: a, B: b, Pause: func(*testing.T) func() {
			a.Stop()
			l.Advance(checkpointtest.LeaseTerm)
			return a.Continue
		}}
	})
}
