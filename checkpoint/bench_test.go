package checkpoint

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint/internal/boltfile"
)

// BenchmarkUpload is what one upload costs that has no parts to remember: claim,
// record, and clean-up. Compare with BenchmarkSync.
func BenchmarkUpload(b *testing.B) {
	d := mustOpenDir(b, b.TempDir(), hostSystem())
	for b.Loop() {
		u, err := d.Open(b.Context(), testKey("a"))
		must(b, err)
		must(b, u.Begin(b.Context(), testRecord("a")))
		must(b, u.Remove())
	}
}

// BenchmarkSync is the least that a durable file can cost: one is made, written,
// synced with its directory, and removed.
func BenchmarkSync(b *testing.B) {
	sys := hostSystem()
	file := recordFile{sys: &sys, dir: b.TempDir()}
	file.path = file.dir + "/file"
	for b.Loop() {
		must(b, file.claim(context.Background()))
		_, err := file.f.Write(make([]byte, 6*boltfile.PageSize))
		must(b, err)
		must(b, sys.sync(file.f))
		must(b, sys.syncDir(file.dir))
		must(b, file.remove())
	}
}

// BenchmarkAdd is what a part costs the one who adds it, while groups are written
// in the background.
func BenchmarkAdd(b *testing.B) {
	u := mustBegin(b, mustOpenDir(b, b.TempDir(), hostSystem()), "a")
	n := 0
	for b.Loop() {
		n = n%maxPartNumber + 1
		must(b, u.Add(Part{Number: n, Size: 1 << 20, ETag: "0123456789ABCDEF0123456789ABCDEF", CRC64: 1}))
	}
	must(b, u.Remove())
}

// BenchmarkParts is what a part costs in all, synced in groups of 50, in uploads
// with few and with many parts: the time for each must be the same.
func BenchmarkParts(b *testing.B) {
	const group = 50
	for _, count := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			d := mustOpenDir(b, b.TempDir(), hostSystem())
			parts := testParts(1, count)
			var spent time.Duration
			for b.Loop() {
				u := mustBegin(b, d, "a")
				start := time.Now()
				for from := 0; from < count; from += group {
					mustAdd(b, u, parts[from:from+group]...)
					must(b, u.Flush(b.Context()))
				}
				spent += time.Since(start)
				must(b, u.Remove())
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/float64(count), "ns/part")
		})
	}
}

// BenchmarkResume is what it costs to open an upload of which 10,000 parts are
// recorded, and to load them.
func BenchmarkResume(b *testing.B) {
	d := mustOpenDir(b, b.TempDir(), hostSystem())
	must(b, mustBegin(b, d, "a", testParts(1, maxPartNumber)...).Close())
	for b.Loop() {
		u := mustOpen(b, d, "a")
		if _, parts, _ := u.Load(); len(parts) != maxPartNumber {
			b.Fatalf("%d parts", len(parts))
		}
		must(b, u.Close())
	}
}
