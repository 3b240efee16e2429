package crc64

import (
	std "hash/crc64"
	"math/rand/v2"
	"testing"
)

// randomBytes returns the same n bytes each time.
func randomBytes(n int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	return p
}

func TestChecksumOfKnownText(t *testing.T) {
	for text, want := range map[string]uint64{
		"":          0,
		"123456789": 11051210869376104954, // the check value of CRC-64/XZ
	} {
		if got := Checksum([]byte(text)); got != want {
			t.Errorf("Checksum(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestUpdateContinues(t *testing.T) {
	data := randomBytes(2000)
	want := std.Checksum(data, table)
	if got := Checksum(data); got != want {
		t.Fatalf("Checksum = %#x, want %#x", got, want)
	}
	for cut := range data {
		if got := Update(Update(0, data[:cut]), data[cut:]); got != want {
			t.Errorf("cut at %d: Update = %#x, want %#x", cut, got, want)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var sum uint64
	allocs := testing.AllocsPerRun(100, func() {
		var p [777]byte
		p[0] = byte(sum)
		sum = Update(sum, p[:])
		sum = Combine(sum, Checksum(p[:]), int64(len(p)))
	})
	if allocs != 0 {
		t.Errorf("got %v allocations for each run, want none", allocs)
	}
}
