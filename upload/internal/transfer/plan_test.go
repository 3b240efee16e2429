package transfer

import (
	"errors"
	"math"
	"testing"
)

func TestNewPlan(t *testing.T) {
	const mib, gib = int64(1) << 20, int64(1) << 30
	for _, tt := range []struct {
		name           string
		size, partSize int64
		want           Plan
	}{
		{"no bytes are one part", 0, mib, Plan{0, mib, 1}},
		{"a stream of unknown length is one part", -1, mib, Plan{0, mib, 1}},
		{"one byte is one part", 1, mib, Plan{1, mib, 1}},
		{"a full part is one part", mib, mib, Plan{mib, mib, 1}},
		{"a byte more makes two", mib + 1, mib, Plan{mib + 1, mib, 2}},
		{"an exact multiple has no empty part", 7 * mib, mib, Plan{7 * mib, mib, 7}},
		{"10,000 parts are allowed", 10_000 * mib, mib, Plan{10_000 * mib, mib, 10_000}},
		{"a byte short of them too", 10_000*mib - 1, mib, Plan{10_000*mib - 1, mib, 10_000}},
		{"a byte more makes larger parts, of whole pages", 10_000*mib + 1, mib, Plan{10_000*mib + 1, mib + 64*kib, 9412}},
		{"twice the size makes them twice as large", 20_000 * mib, mib, Plan{20_000 * mib, 2 * mib, 10_000}},
		{"a larger part size is kept", 10 * gib, 8 * mib, Plan{10 * gib, 8 * mib, 1280}},
		{"the largest object has the largest parts", MaxSize, mib, Plan{MaxSize, MaxPartSize, 10_000}},
		{"rounding does not exceed the largest part", MaxSize - 1, mib, Plan{MaxSize - 1, MaxPartSize, 10_000}},
		{"the smallest parts", 3 * MinPartSize, MinPartSize, Plan{3 * MinPartSize, MinPartSize, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NewPlan(tt.size, tt.partSize)
			if err != nil || got != tt.want {
				t.Fatalf("got %+v, %v; want %+v", got, err, tt.want)
			}
			covers(t, got)
		})
	}
}

// covers fails the test unless the sections follow each other from the first byte to
// the last, and OSS would take each of them.
func covers(t *testing.T, p Plan) {
	t.Helper()
	if p.Count > MaxParts || p.PartSize > MaxPartSize {
		t.Fatalf("%d parts of %d bytes", p.Count, p.PartSize)
	}
	var at int64
	for n := 1; n <= p.Count; n++ {
		off, size := p.Section(n)
		if off != at || size < 1 && p.Size > 0 || size < MinPartSize && n < p.Count {
			t.Fatalf("part %d of %d: %d bytes from %d, want them from %d", n, p.Count, size, off, at)
		}
		at += size
	}
	if at != p.Size {
		t.Fatalf("the parts have %d bytes, want %d", at, p.Size)
	}
}

func TestNewPlanRefuses(t *testing.T) {
	for _, tt := range []struct {
		name           string
		size, partSize int64
		tooLarge       bool
	}{
		{"a byte above 48.8 TB", MaxSize + 1, 1 << 20, true},
		{"the largest number there is", math.MaxInt64, 1 << 20, true},
		{"parts below 100 KiB", 1, MinPartSize - 1, false},
		{"parts above 5 GiB", 1, MaxPartSize + 1, false},
		{"parts of nothing", 1, 0, false},
		{"parts of less than nothing", 1, math.MinInt64, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := NewPlan(tt.size, tt.partSize)
			if err == nil || errors.Is(err, ErrTooLarge) != tt.tooLarge {
				t.Errorf("got %+v, %v; want an error that is ErrTooLarge: %t", p, err, tt.tooLarge)
			}
		})
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(int64(10_000<<20)+1, int64(1<<20))
	f.Add(int64(MaxSize), int64(MinPartSize))
	f.Fuzz(func(t *testing.T, size, partSize int64) {
		p, err := NewPlan(size, partSize)
		if err != nil {
			return
		}
		if p.PartSize < partSize {
			t.Errorf("parts of %d bytes, want %d at least", p.PartSize, partSize)
		}
		covers(t, p)
	})
}
