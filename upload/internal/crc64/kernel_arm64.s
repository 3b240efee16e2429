//go:build gc && !purego

#include "go_asm.h"
#include "textflag.h"

// The method and the constants are explained in doc.go and fold.go. In an
// accumulator the low 64 bits are the earlier bytes.

// FOLD moves the accumulator forward by the distance of k and adds the data
// that stand there: acc = low·k.low + high·k.high + data. It destroys tmp and
// data.
#define FOLD(acc, tmp, k, data) \
	VPMULL  k.D1, acc.D1, tmp.Q1;      \
	VPMULL2 k.D2, acc.D2, acc.Q1;      \
	VEOR    data.B16, tmp.B16, tmp.B16; \
	VEOR    tmp.B16, acc.B16, acc.B16

// func updatePMULL(crc uint64, p []byte) uint64
// len(p) is a multiple of 16, and not zero.
TEXT ·updatePMULL(SB), NOSPLIT, $0-40
	MOVD  crc+0(FP), R0
	MOVD  p_base+8(FP), R1
	MOVD  p_len+16(FP), R2
	MOVD  $·constants(SB), R3
	FMOVQ folding_by128(R3), F16

	// The CRC so far is added to the first eight bytes.
	MVN    R0, R0
	FMOVD  R0, F4
	VLD1.P 16(R1), [V0.B16]
	VEOR   V4.B16, V0.B16, V0.B16
	SUB    $16, R2
	CMP    $48, R2
	BLT    one

	// Four accumulators hide the latency of the multiplications.
	FMOVQ  folding_by512(R3), F17
	VLD1.P 48(R1), [V1.B16, V2.B16, V3.B16]
	SUB    $48, R2

	PCALIGN $16
four:
	CMP    $64, R2
	BLT    merge
	VLD1.P 64(R1), [V4.B16, V5.B16, V6.B16, V7.B16]
	FOLD(V0, V18, V17, V4)
	FOLD(V1, V19, V17, V5)
	FOLD(V2, V20, V17, V6)
	FOLD(V3, V21, V17, V7)
	SUB    $64, R2
	B      four

merge:
	FOLD(V0, V18, V16, V1)
	FOLD(V0, V18, V16, V2)
	FOLD(V0, V18, V16, V3)

one:
	CMP    $16, R2
	BLT    reduce
	VLD1.P 16(R1), [V4.B16]
	FOLD(V0, V18, V16, V4)
	SUB    $16, R2
	B      one

reduce:
	// From 128 bits to 64, first half: c = low·x^128 + high·x^64.
	VEOR   V5.B16, V5.B16, V5.B16
	VEXT   $8, V5.B16, V0.B16, V1.B16
	FMOVD  folding_by128+8(R3), F2
	VPMULL V2.D1, V0.D1, V0.Q1
	VEOR   V1.B16, V0.B16, V0.B16

	// Barrett: q is the quotient of c by P, c + q·P the remainder.
	FMOVD  folding_barrett(R3), F2
	FMOVD  folding_barrett+8(R3), F3
	VPMULL V2.D1, V0.D1, V1.Q1
	VPMULL V3.D1, V1.D1, V2.Q1
	VEOR   V2.B16, V0.B16, V0.B16
	VMOV   V0.D[1], R0
	VMOV   V1.D[0], R4
	EOR    R4, R0
	MVN    R0, R0
	MOVD   R0, ret+32(FP)
	RET
