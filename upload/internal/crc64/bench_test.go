package crc64

import (
	"strconv"
	"testing"
)

var sink uint64

// The kernel table is hash/crc64.
func BenchmarkUpdate(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{
		{"64B", 64}, {"1KiB", 1 << 10}, {"1KiB+15", 1<<10 + 15}, {"32KiB", 32 << 10}, {"1MiB", 1 << 20},
	} {
		p := randomBytes(size.bytes)
		for k := tableOnly; k <= lastKernel; k++ {
			if !k.available() {
				continue
			}
			b.Run(size.name+"/"+k.String(), func(b *testing.B) {
				b.SetBytes(int64(len(p)))
				for b.Loop() {
					sink = k.update(sink, p)
				}
			})
		}
	}
}

func BenchmarkCombine(b *testing.B) {
	for _, n := range []int64{1 << 20, 72448, 0x123456789} {
		b.Run(strconv.FormatInt(n, 10), func(b *testing.B) {
			for b.Loop() {
				sink = Combine(sink, 42, n)
			}
		})
	}
}
