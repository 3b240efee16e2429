//go:build gc && !purego && (amd64 || arm64)

package crc64

import "testing"

// powerOfX returns x^n mod P, one factor at a time.
func powerOfX(n int) uint64 {
	r := one
	for range n {
		r = timesX(r)
	}
	return r
}

func TestFoldingConstantsFollowFromP(t *testing.T) {
	for bits, got := range map[int][2]uint64{
		128:  constants.by128,
		256:  constants.by256,
		512:  constants.by512,
		1024: constants.by1024,
		2048: constants.by2048,
	} {
		want := [2]uint64{powerOfX(bits + 63), powerOfX(bits - 1)}
		if got != want {
			t.Errorf("by%d = %#x, want %#x", bits, got, want)
		}
	}
}

func TestBarrettConstantsFollowFromP(t *testing.T) {
	// Long division of x^128 by P, from the highest power down. The
	// remainder's bit 0 is the coefficient of x^63: one more factor of x
	// makes it x^64, and then P goes in once.
	var mu [65]bool
	remainder := one
	for degree := 127; degree >= 0; degree-- {
		if remainder&1 != 0 {
			if degree >= len(mu) {
				t.Fatalf("x^128 / P has a term x^%d, want at most x^64", degree)
			}
			mu[degree] = true
		}
		remainder = timesX(remainder)
	}
	var want [2]uint64
	for degree := 1; degree <= 64; degree++ {
		if mu[degree] {
			want[0] |= 1 << (64 - degree)
		}
	}
	// P / x: x^64 becomes x^63, and the 1 at the end of P is left out.
	p := ecma
	want[1] = p<<1 | 1
	if constants.barrett != want {
		t.Errorf("barrett = %#x, want %#x", constants.barrett, want)
	}
}
