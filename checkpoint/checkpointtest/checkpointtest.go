// Package checkpointtest is the suite that every [checkpoint.Store] has to pass.
//
// A store's test calls [Run] with a function that makes an empty one:
//
//	func TestStore(t *testing.T) {
//		checkpointtest.Run(t, func(t *testing.T) checkpoint.Store {
//			return etcdstore.New(testCluster(t), t.Name())
//		})
//	}
//
// A store that many machines share passes [RunShared] as well. [Leases] is such a store in
// memory, whose holders can be stopped and cut off: for tests of what uses one.
//
// Run it with the race detector too. What only the store itself can show is left to
// its own tests: what survives a crash, and that claims hold between processes.
package checkpointtest

import (
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

// Run tests that the stores that open returns keep to the contract of
// [checkpoint.Store] and [checkpoint.Claim]. It calls open once for each subtest,
// and closes the store at the end of it; the store has to be empty, and to keep
// nothing of the other subtests. Clean-up of what lies below goes to t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) checkpoint.Store) {
	for _, group := range [][]test{claims, records, parts, lists, finder, unbegun, ends} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) {
				s := open(t)
				t.Cleanup(func() { noError(t, "Close of the store", s.Close()) })
				tt.run(t, s)
			})
		}
	}
}

// RunShared tests what is asked of a store that many machines share, beyond what [Run]
// tests of each: that claims hold between two stores, and that a holder which was stopped
// until its lease had ended finds that out, and changes nothing of the next one's. It
// calls open once for each subtest, and closes both stores at the end of it.
func RunShared(t *testing.T, open func(t *testing.T) Pair) {
	for _, group := range [][]sharedTest{between, lostHolder, lostUnbegun} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) {
				p := open(t)
				t.Cleanup(func() {
					noError(t, "Close of store A", p.A.Close())
					noError(t, "Close of store B", p.B.Close())
				})
				tt.run(t, p)
			})
		}
	}
}
