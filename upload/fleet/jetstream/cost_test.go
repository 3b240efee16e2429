//go:build unix

package jetstream_test

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

var (
	pairs = flag.Int("pairs", 0, "how many pairs of runs TestCostOverBbolt measures")
	rate  = flag.Int("rate", 1000, "how many parts a second these runs have")
	held  = flag.Int("held", 0, "how many files are in flight in TestManyFilesInFlight")
)

// cpu returns the CPU time that this process has used, or that its children have which
// have ended.
func cpu(t *testing.T, who int) time.Duration {
	t.Helper()
	var u syscall.Rusage
	noError(t, "getrusage", syscall.Getrusage(who, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestCostOverBbolt measures what a store on three nodes costs a worker more than bbolt, by
// CPU time, of the CPU time of the upload. Whole uploads differ from each other by more than
// a store costs. So what is compared is the store alone, with parts that come as an upload
// has them, in turns with bbolt; then the difference is set against what one of the smallest
// parts costs a whole process that uploads with bbolt. Of larger parts there are fewer.
func TestCostOverBbolt(t *testing.T) {
	if *pairs == 0 {
		t.Skip("give -args -pairs=21 for a measurement of some minutes")
	}
	cluster := fleettest.Start(t, 3)
	nc := cluster.Connect()
	defer nc.Close()
	nodes := open(t, nc, jetstream.Options{})
	bbolt, err := checkpoint.OpenDir(t.TempDir())
	noError(t, "OpenDir", err)
	defer bbolt.Close()

	var differences []time.Duration
	for i := range *pairs {
		var b, n time.Duration
		if i%2 == 0 {
			b, n = costOf(t, bbolt), costOf(t, nodes)
		} else {
			n, b = costOf(t, nodes), costOf(t, bbolt)
		}
		differences = append(differences, n-b)
		t.Logf("a part costs bbolt %v, three nodes %v", b, n)
	}
	part := costOfUpload(t)
	slices.Sort(differences)
	median, lowest, highest := interval(differences)
	percent := func(d time.Duration) string { return fmt.Sprintf("%+.2f %%", 100*d.Seconds()/part.Seconds()) }
	t.Logf("%d pairs, %d parts/s: three nodes cost %v a part more than bbolt, %v to %v with 95 %% confidence; a part of an upload costs %v: %s (%s to %s)",
		*pairs, *rate, median, lowest, highest, part, percent(median), percent(lowest), percent(highest))
}

// costOf returns what a part costs of an upload with so many a second.
func costOf(t *testing.T, s checkpoint.Store) time.Duration {
	t.Helper()
	c := claim(t, s)
	noError(t, "Begin", c.Begin(t.Context(), rec))
	runtime.GC()
	before, start := cpu(t, syscall.RUSAGE_SELF), time.Now()
	all := checkpointtest.Parts(1, 3*max(*rate, 100))
	for i, p := range all {
		if i%10 == 0 { // they end in groups, as those do that were sent at the same time
			time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(*rate))))
		}
		add(t, c, p)
	}
	noError(t, "Flush", c.Flush(t.Context()))
	used := cpu(t, syscall.RUSAGE_SELF) - before
	noError(t, "Remove", c.Remove())
	return used / time.Duration(len(all))
}

// costOfUpload returns what a part costs a process that uploads with bbolt.
func costOfUpload(t *testing.T) time.Duration {
	t.Helper()
	const parts = 2500
	path := film(t, parts)
	var all []time.Duration
	for range 5 {
		oss := newSlowOSS(t, 0)
		process, out := worker{Dir: t.TempDir(), OSS: oss.url, Path: path, Object: "film.mp4"}.start(t)
		if err := process.Wait(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		all = append(all, (process.ProcessState.UserTime()+process.ProcessState.SystemTime())/parts)
		oss.Close()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// interval returns the median of sorted values, and between which two of them it is with a
// confidence of 95 %: of the signs of n values, as many as 1.96 √n / 2 may be on either side.
func interval(sorted []time.Duration) (median, lowest, highest time.Duration) {
	n := len(sorted)
	off := int(math.Ceil(1.96 * math.Sqrt(float64(n)) / 2))
	return sorted[n/2], sorted[max(n/2-off, 0)], sorted[min(n/2+off, n-1)]
}

// TestManyFilesInFlight measures what many claims of one store cost, on three nodes, while
// each adds a part a second, for three leases: -args -held=1000.
func TestManyFilesInFlight(t *testing.T) {
	if *held == 0 {
		t.Skip("give -args -held=1000 for a measurement of some minutes")
	}
	const lease, leases = 30 * time.Second, 3
	t.Run("on three nodes", func(t *testing.T) {
		nc := fleettest.Start(t, 3).Connect()
		defer nc.Close()
		s := open(t, nc, jetstream.Options{Lease: lease})
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		empty := heap()
		claims := make([]checkpoint.Claim, *held)
		var opening sync.WaitGroup
		room := make(chan struct{}, 32)
		start := time.Now()
		for i := range claims {
			opening.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				k := checkpointtest.Key(fmt.Sprint(i))
				c, err := s.Open(t.Context(), k)
				if err == nil {
					err = c.Begin(t.Context(), checkpointtest.Record(k))
				}
				if err != nil {
					t.Error(err)
				}
				claims[i] = c
			})
		}
		opening.Wait()
		if t.Failed() {
			return
		}
		t.Logf("%d claims and records in %v", *held, time.Since(start).Round(time.Millisecond))
		// watch reports what a time costs.
		watch := func(what string, d time.Duration, do func(second int)) {
			messages, used, begun := nc.Stats().OutMsgs, cpu(t, syscall.RUSAGE_SELF), time.Now()
			for n := range int(d / time.Second) {
				do(n)
				time.Sleep(time.Until(begun.Add(time.Duration(n+1) * time.Second)))
			}
			took := time.Since(begun)
			t.Logf("%s: %.0f messages/s, %.1f %% of a processor, %d KiB of heap a file", what,
				float64(nc.Stats().OutMsgs-messages)/took.Seconds(), 100*(cpu(t, syscall.RUSAGE_SELF)-used).Seconds()/took.Seconds(), (heap()-empty)>>10/uint64(*held))
		}
		watch("renewals alone", leases*lease, func(int) {})
		number := 0
		watch("and a part a second of each", leases*lease, func(int) {
			number++
			for _, c := range claims {
				if err := c.Add(checkpointtest.Part(number)); err != nil {
					t.Error(err)
				}
			}
		})
		for i, c := range claims {
			select {
			case <-c.(checkpoint.Held).Lost():
				t.Errorf("claim %d was lost", i)
			default:
			}
		}
		for _, c := range claims {
			opening.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		opening.Wait()
		entries, err := s.List(t.Context())
		noError(t, "List", err)
		for _, e := range entries {
			if e.Parts != number {
				t.Errorf("%v has %d parts, want %d", e.Record.Key, e.Parts, number)
			}
		}
		if len(entries) != *held {
			t.Errorf("there are %d records, want %d", len(entries), *held)
		}
	})
	t.Logf("the three nodes have used %v in all", cpu(t, syscall.RUSAGE_CHILDREN))
}
