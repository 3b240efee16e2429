package crc64

import (
	std "hash/crc64"
	"testing"
)

// eachKernel runs the test with each kernel of this architecture, and says
// which ones this machine cannot run.
func eachKernel(t *testing.T, test func(t *testing.T, k kernel)) {
	for k := tableOnly; k <= lastKernel; k++ {
		t.Run(k.String(), func(t *testing.T) {
			if !k.available() {
				t.Skip("this machine does not offer it")
			}
			test(t, k)
		})
	}
}

func TestTheFastestKernelIsChosen(t *testing.T) {
	t.Logf("the fastest kernel here: %v", fastest)
	if !fastest.available() {
		t.Fatalf("%v was chosen, and cannot run here", fastest)
	}
	for k := fastest + 1; k <= lastKernel; k++ {
		if k.available() {
			t.Errorf("%v can run here, and %v was chosen", k, fastest)
		}
	}
}

// Each length brings another alignment, and all alignments meet all shapes
// of the loops several times.
func TestKernelsAgreeAtEveryLength(t *testing.T) {
	const longest = 4096 + 300
	data := randomBytes(longest + 64)
	eachKernel(t, func(t *testing.T, k kernel) {
		for n := range longest + 1 {
			p := data[n*29%64:][:n]
			start := uint64(n) * 0x9e3779b97f4a7c15
			if got, want := k.update(start, p), std.Update(start, table, p); got != want {
				t.Fatalf("%d bytes from %#x: got %#x, want %#x", n, start, got, want)
			}
		}
	})
}

func TestKernelsAgreeAtEveryAlignment(t *testing.T) {
	data := randomBytes(1200 + 64)
	eachKernel(t, func(t *testing.T, k kernel) {
		for offset := range 64 {
			for n := 0; n <= 1200; n += 1 + n/17 {
				p := data[offset:][:n]
				if got, want := k.update(7, p), std.Update(7, table, p); got != want {
					t.Fatalf("%d bytes at offset %d: got %#x, want %#x", n, offset, got, want)
				}
			}
		}
	})
}

func TestKernelsAgreeFromEveryStart(t *testing.T) {
	data := randomBytes(1023)
	starts := []uint64{0, ^uint64(0), ecma, ^ecma, 0x5555555555555555}
	for bit := range 64 {
		starts = append(starts, 1<<bit, ^(1 << bit))
	}
	eachKernel(t, func(t *testing.T, k kernel) {
		for _, start := range starts {
			for _, n := range []int{0, 1, 8, 16, 17, 64, 128, 256, 271, 512, 1023} {
				if got, want := k.update(start, data[:n]), std.Update(start, table, data[:n]); got != want {
					t.Fatalf("%d bytes from %#x: got %#x, want %#x", n, start, got, want)
				}
			}
		}
	})
}

// A single bit in zeros goes through one path of the folding alone, so that
// no two errors can hide each other.
func TestKernelsSeeEveryBit(t *testing.T) {
	p := make([]byte, 640)
	eachKernel(t, func(t *testing.T, k kernel) {
		for bit := range 8 * len(p) {
			p[bit/8] = 1 << (bit % 8)
			got, want := k.update(0, p), std.Update(0, table, p)
			p[bit/8] = 0
			if got != want {
				t.Fatalf("bit %d of %d bytes: got %#x, want %#x", bit, len(p), got, want)
			}
		}
	})
}

func TestKernelsAgreeOverSeveralCalls(t *testing.T) {
	const mib = 1 << 20
	data := randomBytes(2*mib + 64)
	eachKernel(t, func(t *testing.T, k kernel) {
		for _, n := range []int{mib / 4, mib/4 + 1, mib/2 - 1, mib, mib + 15, 2*mib + 63} {
			if got, want := k.update(1, data[:n]), std.Update(1, table, data[:n]); got != want {
				t.Errorf("%d bytes: got %#x, want %#x", n, got, want)
			}
		}
	})
}

func FuzzKernels(f *testing.F) {
	f.Add(uint64(0), []byte(""), uint16(0))
	f.Add(uint64(0), []byte("123456789"), uint16(4))
	f.Add(^uint64(0), make([]byte, 256), uint16(16))
	f.Add(ecma, randomBytes(1023), uint16(300))
	f.Add(uint64(1), randomBytes(4096+17), uint16(4000))
	f.Fuzz(func(t *testing.T, start uint64, data []byte, cut uint16) {
		i := min(int(cut), len(data))
		want := std.Update(start, table, data)
		for k := tableOnly; k <= lastKernel; k++ {
			if !k.available() {
				continue
			}
			if got := k.update(start, data); got != want {
				t.Errorf("%v: %d bytes from %#x: got %#x, want %#x", k, len(data), start, got, want)
			}
			if got := k.update(k.update(start, data[:i]), data[i:]); got != want {
				t.Errorf("%v: %d bytes from %#x, cut at %d: got %#x, want %#x", k, len(data), start, i, got, want)
			}
		}
		first, second := Update(start, data[:i]), Checksum(data[i:])
		if got := Combine(first, second, int64(len(data)-i)); got != want {
			t.Errorf("Combine of %d and %d bytes: got %#x, want %#x", i, len(data)-i, got, want)
		}
	})
}
