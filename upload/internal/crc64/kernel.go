package crc64

import (
	std "hash/crc64"
)

// A kernel is one way of computing the CRC. Each architecture names its own
// and gives them the methods update, available and String. The faster has the
// higher number; the highest is lastKernel.
//
// It is a number with a switch, and no function value, so that the compiler
// sees that p does not escape.
type kernel int

// tableOnly is the standard library's way. Every machine has it.
const tableOnly kernel = 0

// fastest is the best kernel that can run here.
var fastest = bestAvailable()

func bestAvailable() kernel {
	k := lastKernel
	for !k.available() {
		k--
	}
	return k
}

// updateTable is the kernel tableOnly, and ends what the others leave over.
func updateTable(crc uint64, p []byte) uint64 {
	return std.Update(crc, table, p)
}
