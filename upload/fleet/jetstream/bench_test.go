package jetstream_test

import (
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

var nodes = flag.Int("nodes", 1, "how many servers benchmarks use; 0: one in this process")

// benchStore opens a store on -nodes servers.
func benchStore(b *testing.B) (*jetstream.Store, *nats.Conn) {
	b.Helper()
	var nc *nats.Conn
	if *nodes == 0 {
		s, err := embedded.Run(&embedded.Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		if nc, err = s.Connect(); err != nil {
			b.Fatal(err)
		}
	} else {
		nc = fleettest.Start(b, *nodes).Connect()
	}
	b.Cleanup(nc.Close)
	s, err := jetstream.Open(b.Context(), nc, &jetstream.Options{SyncAlways: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s, nc
}

// BenchmarkParts is what a part costs of an upload of 10,000, with a Flush for each 100.
func BenchmarkParts(b *testing.B) {
	parts := checkpointtest.Parts(1, 10_000)
	run := func(b *testing.B, s checkpoint.Store) {
		for b.Loop() {
			c, err := s.Open(b.Context(), key)
			if err != nil {
				b.Fatal(err)
			}
			if err := c.Begin(b.Context(), rec); err != nil {
				b.Fatal(err)
			}
			for i, p := range parts {
				if err := c.Add(p); err != nil {
					b.Fatal(err)
				}
				if i%100 == 99 {
					if err := c.Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := c.Remove(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(parts)), "µs/part")
	}
	b.Run("bbolt", func(b *testing.B) {
		s, err := checkpoint.OpenDir(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		run(b, s)
	})
	b.Run("jetstream", func(b *testing.B) {
		s, nc := benchStore(b)
		before := nc.Stats().OutMsgs
		run(b, s)
		b.ReportMetric(float64(nc.Stats().OutMsgs-before)/float64(b.N), "messages/upload")
	})
}

// BenchmarkClaims is what an upload costs without its parts: Open, Begin and Remove, of
// as many at a time as the name says.
func BenchmarkClaims(b *testing.B) {
	for _, clients := range []int{1, 32} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			s, _ := benchStore(b)
			var wg sync.WaitGroup
			work := make(chan int)
			for range clients {
				wg.Go(func() {
					for n := range work {
						k := checkpointtest.Key(fmt.Sprint(n))
						c, err := s.Open(b.Context(), k)
						if err == nil {
							err = c.Begin(b.Context(), checkpointtest.Record(k))
						}
						if err == nil {
							err = c.Remove()
						}
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			for n := 0; b.Loop(); n++ {
				work <- n
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
		})
	}
}
