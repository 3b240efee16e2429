package transfer

import (
	"fmt"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/wire"
)

// benchCounts are numbers of parts: what they cost must grow no faster.
var benchCounts = []int{100, 1_000, 10_000}

func benchParts(count int) (Plan, []checkpoint.Part, []wire.Part) {
	const size = 1 << 20
	var local []checkpoint.Part
	var listed []wire.Part
	for n := 1; n <= count; n++ {
		p := checkpoint.Part{Number: n, Size: size, ETag: "0123456789ABCDEF0123456789ABCDEF", CRC64: uint64(n) * 0x9E3779B97F4A7C15}
		local = append(local, p)
		listed = append(listed, wire.Part{Number: n, Size: size, ETag: p.ETag, CRC64: p.CRC64, HasCRC64: true})
	}
	return must(NewPlan(int64(count)*size, size)), local, listed
}

// BenchmarkPlan makes a plan and asks for each of its sections.
func BenchmarkPlan(b *testing.B) {
	for _, count := range benchCounts {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				plan := must(NewPlan(int64(count)<<20, 1<<20))
				for n := 1; n <= plan.Count; n++ {
					plan.Section(n)
				}
			}
		})
	}
}

// BenchmarkReconcile compares a record with the server's list where all agrees.
func BenchmarkReconcile(b *testing.B) {
	for _, count := range benchCounts {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			plan, local, listed := benchParts(count)
			b.ReportAllocs()
			for b.Loop() {
				if r := reconcile(plan, local, listed); len(r.done) != count {
					b.Fatalf("%d parts agree, want %d", len(r.done), count)
				}
			}
		})
	}
}

// BenchmarkCombined computes the CRC64 of an object from those of its parts.
func BenchmarkCombined(b *testing.B) {
	for _, count := range benchCounts {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			_, _, listed := benchParts(count)
			for b.Loop() {
				combined(listed)
			}
		})
	}
}
