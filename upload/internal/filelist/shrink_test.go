package filelist

import "testing"

func TestShrink(t *testing.T) {
	m, peak, copies, copied := make(map[int]int), 0, 0, 0
	for i := range 100_000 {
		m[i] = i
	}
	for i := range 100_000 {
		before := peak
		delete(m, i)
		m = Shrink(m, &peak)
		if peak < before {
			copies++
			copied += len(m)
		}
		if len(m) != 100_000-1-i || len(m) > 0 && m[i+1] != i+1 {
			t.Fatalf("%d elements are left, want %d", len(m), 100_000-1-i)
		}
	}
	if copies < 3 || copied > 100_000 {
		t.Errorf("%d copies of %d elements; want a few, and fewer elements than there were", copies, copied)
	}
}
