package crc64

import (
	std "hash/crc64"
)

// ecma is P without its highest term x^64, bit-reflected.
const ecma uint64 = std.ECMA

var table = std.MakeTable(std.ECMA)

// Update returns the CRC of the bytes that crc stands for, followed by those
// of p. It starts from zero: Update(0, p) is [Checksum] of p.
func Update(crc uint64, p []byte) uint64 {
	return fastest.update(crc, p)
}

// Checksum returns the CRC of p. That of no bytes is zero.
func Checksum(p []byte) uint64 {
	return Update(0, p)
}
