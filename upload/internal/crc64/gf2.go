package crc64

// Polynomials over GF(2) of degree below 64, bit-reflected: bit 63-i of the
// word is the coefficient of x^i. Addition is exclusive or.

// one is the polynomial 1.
const one uint64 = 1 << 63

// multiply returns a·b mod P.
//
// It is Horner's rule over the hexadecimal digits of a, the one with the
// highest powers of x first. That is the lowest digit, as bits are reflected.
func multiply(a, b uint64) uint64 {
	// products[d] is b times the digit d, whose bit 3 is x^0 and bit 0 x^3.
	b1 := timesX(b)
	b2 := timesX(b1)
	b3 := timesX(b2)
	products := [16]uint64{
		0, b3, b2, b2 ^ b3,
		b1, b1 ^ b3, b1 ^ b2, b1 ^ b2 ^ b3,
		b, b ^ b3, b ^ b2, b ^ b2 ^ b3,
		b ^ b1, b ^ b1 ^ b3, b ^ b1 ^ b2, b ^ b1 ^ b2 ^ b3,
	}

	var r uint64
	for range 16 {
		r = timesX4(r) ^ products[a&15]
		a >>= 4
	}
	return r
}

// timesX returns a·x mod P: a shift, and x^64 replaced by its remainder.
func timesX(a uint64) uint64 {
	return a>>1 ^ -(a&1)&ecma
}

// timesX4 returns a·x^4 mod P. The table is made for eight shifts of a byte,
// but the first four of them only move a digit that stands in its upper half.
func timesX4(a uint64) uint64 {
	return a>>4 ^ table[a&15<<4]
}
