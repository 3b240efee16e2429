//go:build gc && !purego && (amd64 || arm64)

package crc64

// maxCall bounds what one call of an assembly function takes, in bytes. The
// scheduler cannot interrupt assembly, and a garbage collection waits for
// every goroutine: one call for a part of gigabytes would stop the program.
const maxCall = 256 << 10

// folding holds the numbers that the assembly multiplies by, bit-reflected
// and in the order of the register's halves: the first is for the earlier
// eight bytes. Where they come from is in the package comment, and a test
// computes each from P.
type folding struct {
	// byD moves a register of 16 bytes, or each such lane of a wider one,
	// forward by D bits: x^(D+63) mod P and x^(D-1) mod P.
	by128, by256, by512, by1024, by2048 [2]uint64

	// barrett is floor(mu / x) and floor(P / x).
	barrett [2]uint64
}

// constants is read by the assembly only.
var constants = folding{
	by128:   [2]uint64{0xe05dd497ca393ae4, 0xdabe95afc7875f40},
	by256:   [2]uint64{0x60095b008a9efa44, 0x3be653a30fe1af51},
	by512:   [2]uint64{0x6ae3efbb9dd441f3, 0x081f6054a7842df4},
	by1024:  [2]uint64{0x8757d71d4fcc1000, 0xd7d86b2af73de740},
	by2048:  [2]uint64{0x8260adf2381ad81c, 0xf31fd9271e228b79},
	barrett: [2]uint64{0x9c3e466c172963d5, 0x92d8af2baf0e1e85},
}
