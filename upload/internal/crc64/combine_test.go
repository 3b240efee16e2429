package crc64

import (
	"math"
	"testing"
)

// An image of 482,048 bytes in parts of 100 KiB: the checksums of the parts
// and of the object, as the OSS SDK's tests have them from the service.
func TestCombineGivesTheServiceOwnCRC(t *testing.T) {
	const size, partSize, whole = 482048, 102400, 3125829253308236322
	parts := []uint64{
		8763152386744783419, 6614430229846010432, 16516841772958390055,
		3383540858311989068, 12089466050497086081,
	}
	var crc uint64
	for i, part := range parts {
		crc = Combine(crc, part, min(partSize, size-int64(i)*partSize))
	}
	if crc != whole {
		t.Errorf("combined CRC = %d, want %d", crc, uint64(whole))
	}
}

func TestCombineEqualsOnePass(t *testing.T) {
	data := randomBytes(1 << 16)
	for n := range 700 {
		a, b := data[:n*31%2000], data[n:][:n*n%60000]
		want := Update(Checksum(a), b)
		if got := Combine(Checksum(a), Checksum(b), int64(len(b))); got != want {
			t.Errorf("%d and %d bytes: Combine = %#x, want %#x", len(a), len(b), got, want)
		}
	}
}

func TestCombineWithNothing(t *testing.T) {
	crc := Checksum([]byte("part"))
	if got := Combine(crc, 0, 0); got != crc {
		t.Errorf("nothing behind: Combine = %#x, want %#x", got, crc)
	}
	if got := Combine(0, crc, 4); got != crc {
		t.Errorf("nothing before: Combine = %#x, want %#x", got, crc)
	}
}

// No test can hash exabytes, but the powers of x must multiply.
func TestCombineHoldsForEveryLength(t *testing.T) {
	const crc = 0x0123456789abcdef
	lengths := []int64{0, 1, 15, 16, 1 << 20, 5 << 30, 48_800_000_000_000, math.MaxInt64 / 2, math.MaxInt64}
	for bit := range 62 {
		lengths = append(lengths, 1<<bit, 1<<bit-1)
	}
	for _, n := range lengths {
		// By squaring: x^(8n) from the highest bit of n down.
		power := one
		for bit := 62; bit >= 0; bit-- {
			power = slowMultiply(power, power)
			if n>>bit&1 != 0 {
				power = slowMultiply(power, one>>8)
			}
		}
		want := slowMultiply(crc, power) ^ 42
		if got := Combine(crc, 42, n); got != want {
			t.Errorf("length %d: Combine = %#x, want %#x", n, got, want)
		}
	}
}

func TestCombinePanicsForANegativeLength(t *testing.T) {
	defer func() {
		const want = "crc64: Combine: length of the second part is negative: -1"
		if got := recover(); got != want {
			t.Errorf("recovered %v, want %q", got, want)
		}
	}()
	Combine(1, 2, -1)
}
