package crc64

import "testing"

// slowMultiply adds up b·x^i for each term x^i of a.
func slowMultiply(a, b uint64) uint64 {
	var r uint64
	for bit := 63; bit >= 0; bit-- {
		if a>>bit&1 != 0 {
			r ^= b
		}
		b = timesX(b)
	}
	return r
}

func TestTimesXReplacesX64ByItsRemainder(t *testing.T) {
	if got := timesX(one); got != one>>1 {
		t.Errorf("1·x = %#x, want x, %#x", got, one>>1)
	}
	if got := timesX(1); got != ecma {
		t.Errorf("x^63·x = %#x, want the rest of P, %#x", got, ecma)
	}
}

func TestMultiplyIsThatOfPolynomials(t *testing.T) {
	values := []uint64{0, 1, one, ecma, ^uint64(0)}
	for i := range 300 {
		values = append(values, uint64(i)*0x9e3779b97f4a7c15, 1<<(i%64))
	}
	for i, a := range values {
		b := values[len(values)-1-i/2]
		if got, want := multiply(a, b), slowMultiply(a, b); got != want {
			t.Errorf("%#x·%#x = %#x, want %#x", a, b, got, want)
		}
	}
}
