// Package crc64 computes CRC-64/ECMA, the checksum that OSS returns in
// x-oss-hash-crc64ecma for every part and every object, and combines the
// checksums of parts into that of the whole.
//
// The results are those of [hash/crc64] with its ECMA table. The reason for
// another package is speed. Where the processor multiplies polynomials
// (PCLMULQDQ on amd64, PMULL on arm64), verifying an upload costs next to
// nothing: on an amd64 server of 2023 the kernels below are 15, 30 and 60
// times as fast as the table.
//
// All functions are safe for concurrent use, allocate nothing, and do not let
// their arguments escape.
//
// # The checksum
//
// A message is read as a polynomial M over GF(2): each bit is a coefficient,
// addition is exclusive or. The first bit has the highest power of x, and the
// first bit of a byte is its lowest. The CRC is the remainder of M·x^64
// divided by P,
//
//	P = x^64 + x^62 + x^57 + x^55 + x^54 + x^53 + x^52 + x^47 + x^46 + x^45
//	  + x^40 + x^39 + x^38 + x^37 + x^35 + x^33 + x^32 + x^31 + x^29 + x^27
//	  + x^24 + x^23 + x^22 + x^21 + x^19 + x^17 + x^13 + x^12 + x^10 + x^9
//	  + x^7 + x^4 + x + 1,
//
// where the first 64 bits of the message and the 64 bits of the result are
// inverted. All words here are bit-reflected: bit 63-i is the coefficient of
// x^i. So eight bytes of the message become a word by a plain little-endian
// load.
//
// # Folding
//
// A register of 16 bytes is A = L·x^64 + H, with L the first eight bytes.
// What A contributes to the remainder can be added to the message D bits
// further on, because there it counts x^D times less:
//
//	A·x^D = L·x^(D+64) + H·x^D
//	      = L·(x^(D+64) mod P) + H·(x^D mod P)   (mod P)
//
// That is two carry-less multiplications of 64 by 64 bits with constants, and
// their sum fits in 16 bytes again. Repeated over the message, this replaces
// all of it by its last 16 bytes. The loops keep four registers in flight,
// because a multiplication takes several cycles, but a new one can start in
// each: every register is moved by the width of the four together, and at the
// end the four are folded into one.
//
// One detail decides the constants. The product of two reflected words has
// 127 bits, and its bit k is the coefficient of x^(126-k), while bit k of a
// register is that of x^(127-k). So a product, read as a register, has been
// multiplied by x, and each constant is one power lower to make up for it:
// x^(D+63) for L, and x^(D-1) for H.
//
// # From 128 bits to 64
//
// The CRC is the remainder of the last register times x^64:
//
//	A·x^64 = L·(x^128 mod P) + H·x^64   (mod P)
//
// which is one multiplication, by x^127 for the detail above, and a shift.
// Its result C = C1·x^64 + C0 is divided by P after Barrett. With
// mu = floor(x^128 / P),
//
//	q = floor(C1·mu / x^64)
//	C mod P = C0 + (q·P mod x^64)
//
// and q is exact, because there are no carries. Both mu and P have 65 bits.
// Their words leave out the coefficient of x^0 and hold floor(mu / x) and
// floor(P / x), and the product's extra x puts everything back in its place.
// What is left out of the first product, C1·1, stays below x^64 and never
// reaches q. What is left out of the second is q·1, which is added.
//
// # Kernels
//
// The best of these that processor and system offer is chosen when the
// program starts:
//
//	table       everywhere   hash/crc64
//	pclmul      amd64        16 bytes in a register: SSE2 and PCLMULQDQ
//	vpclmul256  amd64        32 bytes in a register: AVX2 and VPCLMULQDQ
//	vpclmul512  amd64        64 bytes in a register: AVX-512F and VPCLMULQDQ
//	pmull       arm64        16 bytes in a register: PMULL
//
// The wide ones fold lane by lane, with the same constant in each lane, and
// fold the lanes into each other at the end. Each takes whole blocks and
// leaves the rest to the next smaller one; the last, fewer than 16 bytes, are
// the table's. The build tag purego leaves only the table.
//
// # Combining
//
// Appending n bytes multiplies the remainder so far by x^(8n). Both
// inversions cancel out, so that
//
//	CRC(A followed by B) = CRC(A)·x^(8·len(B)) mod P + CRC(B)
//
// and [Combine] takes the power from a table with an entry for each digit of
// the length.
package crc64
