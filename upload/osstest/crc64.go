package osstest

import (
	"hash/crc64"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

var crcTable = crc64.MakeTable(crc64.ECMA)

// A CRC of this kind is a polynomial over GF(2), with x^0 in the highest bit.
const crcOne = 1 << 63

// crcPowers[k] is x^(2^k) modulo the CRC's polynomial.
var crcPowers = func() (t [64]uint64) {
	t[0] = crcOne >> 1
	for k := 1; k < len(t); k++ {
		t[k] = crcMultiply(t[k-1], t[k-1])
	}
	return t
}()

// crcMultiply returns a·b modulo the CRC's polynomial.
func crcMultiply(a, b uint64) uint64 {
	var p uint64
	for ; a != 0; a <<= 1 {
		if a&crcOne != 0 {
			p ^= b
		}
		low := b & 1
		b >>= 1
		if low != 0 {
			b ^= crc64.ECMA
		}
	}
	return p
}

// crcShift returns what the CRC of some data is multiplied by when length bytes
// follow.
func crcShift(length int64) uint64 {
	shift := uint64(crcOne)
	// A byte is 2^3 bits: the power for one byte is at 3.
	for k := 3; length > 0; k, length = k+1, length>>1 {
		if length&1 != 0 {
			shift = crcMultiply(shift, crcPowers[k])
		}
	}
	return shift
}

// partsCRC returns the CRC of an object from those of its parts. Most parts
// have one length, so that the shift is rarely computed.
func partsCRC(parts []*storage.Part) (crc uint64) {
	length, shift := int64(0), uint64(crcOne)
	for _, p := range parts {
		if p.Size != length {
			length, shift = p.Size, crcShift(p.Size)
		}
		crc = crcMultiply(shift, crc) ^ p.CRC64
	}
	return crc
}
