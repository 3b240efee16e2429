// Package fleettest runs NATS servers as processes of a test, to kill, stop and cut off:
// from clients with a [Proxy], from each other with [StartDivisible].
//
//	func TestMain(m *testing.M) {
//		fleettest.Init()
//		os.Exit(m.Run())
//	}
//
//	func TestNodeDies(t *testing.T) {
//		cluster := fleettest.Start(t, 3)
//		nc := cluster.Connect()
//		defer nc.Close()
//		// ...
//		cluster.Kill(0)
//	}
//
// The processes are the test's own program once more, which [Init] turns into servers of
// package embedded. They end with the test, and with the process of the test, however
// that ends. Stopping processes is not to be had on Windows.
package fleettest
