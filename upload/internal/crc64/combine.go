package crc64

import (
	"strconv"
	"sync"
)

// Combine returns the CRC of two sequences of bytes joined, from the CRC of
// each and the length in bytes of the second. It reads no data and allocates
// nothing: its cost grows with the number of digits of len2, not with its
// value.
//
// It panics if len2 is negative, because no sequence is that long and any
// answer would later look like damaged data.
func Combine(crc1, crc2 uint64, len2 int64) uint64 {
	if len2 < 0 {
		panic("crc64: Combine: length of the second part is negative: " + strconv.FormatInt(len2, 10))
	}
	// The checksums' inversion at the start and at the end cancels out here:
	// joining is crc1·x^(8·len2) + crc2 as it is for the plain remainders.
	powers := powersOfX()
	for i, n := 0, uint64(len2); n > 0; i, n = i+1, n>>4 {
		if digit := n & 15; digit != 0 {
			crc1 = multiply(crc1, powers[i][digit])
		}
	}
	return crc1 ^ crc2
}

// powersOfX returns x^(8·d·16^i) mod P at [i][d]: what d·16^i further bytes
// multiply a remainder by. A length is the sum of its hexadecimal digits, so
// the product over them serves every length, with one multiplication for
// each digit that is not zero.
var powersOfX = sync.OnceValue(func() *[16][16]uint64 {
	t := new([16][16]uint64)
	step := one >> 8 // x^8: one byte
	for i := range t {
		t[i][0] = one
		for d := 1; d < 16; d++ {
			t[i][d] = multiply(t[i][d-1], step)
		}
		step = multiply(t[i][15], step)
	}
	return t
})
