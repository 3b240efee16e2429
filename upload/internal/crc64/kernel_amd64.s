//go:build gc && !purego

#include "go_asm.h"
#include "textflag.h"

// The method and the constants are explained in doc.go and fold.go. In an
// accumulator the low 64 bits are the earlier bytes.

// FOLD moves the accumulator forward by the distance of k and adds the data
// that stand there: acc = low·k.low + high·k.high + data. It destroys tmp and
// data.
#define FOLD(acc, tmp, k, data) \
	MOVOU     acc, tmp;       \
	PCLMULQDQ $0x00, k, acc;  \
	PCLMULQDQ $0x11, k, tmp;  \
	PXOR      data, acc;      \
	PXOR      tmp, acc

// func updatePCLMUL(crc uint64, p []byte) uint64
// len(p) is a multiple of 16, and not zero.
TEXT ·updatePCLMUL(SB), NOSPLIT, $0-40
	MOVQ  crc+0(FP), AX
	MOVQ  p_base+8(FP), SI
	MOVQ  p_len+16(FP), CX
	LEAQ  ·constants(SB), DI
	MOVOU folding_by128(DI), X8
	MOVOU folding_barrett(DI), X9

	// The CRC so far is added to the first eight bytes.
	NOTQ  AX
	MOVQ  AX, X4
	MOVOU (SI), X0
	PXOR  X4, X0
	ADDQ  $16, SI
	SUBQ  $16, CX
	CMPQ  CX, $48
	JLT   one

	// Four accumulators hide the latency of the multiplications.
	MOVOU folding_by512(DI), X10
	MOVOU 0(SI), X1
	MOVOU 16(SI), X2
	MOVOU 32(SI), X3
	ADDQ  $48, SI
	SUBQ  $48, CX

	PCALIGN $16
four:
	CMPQ  CX, $64
	JLT   merge
	MOVOU 0(SI), X4
	MOVOU 16(SI), X5
	MOVOU 32(SI), X6
	MOVOU 48(SI), X7
	FOLD(X0, X11, X10, X4)
	FOLD(X1, X12, X10, X5)
	FOLD(X2, X13, X10, X6)
	FOLD(X3, X14, X10, X7)
	ADDQ  $64, SI
	SUBQ  $64, CX
	JMP   four

merge:
	FOLD(X0, X11, X8, X1)
	FOLD(X0, X11, X8, X2)
	FOLD(X0, X11, X8, X3)

one:
	CMPQ  CX, $16
	JLT   reduce
	MOVOU (SI), X4
	FOLD(X0, X11, X8, X4)
	ADDQ  $16, SI
	SUBQ  $16, CX
	JMP   one

reduce:
	// From 128 bits to 64, first half: c = low·x^128 + high·x^64.
	MOVOU     X0, X1
	PCLMULQDQ $0x10, X8, X0
	PSRLDQ    $8, X1
	PXOR      X1, X0

	// Barrett: q is the quotient of c by P, c + q·P the remainder.
	MOVOU     X0, X1
	PCLMULQDQ $0x00, X9, X1
	MOVOU     X1, X2
	PCLMULQDQ $0x10, X9, X2
	PXOR      X2, X0
	PSRLDQ    $8, X0
	PXOR      X1, X0
	MOVQ      X0, AX
	NOTQ      AX
	MOVQ      AX, ret+32(FP)
	RET

// VREDUCE leaves the CRC, not yet inverted, of the accumulator X0 in AX: what
// reduce above does. It takes by128 in X8 and barrett in X9, and destroys X1
// and X2.
#define VREDUCE \
	VPCLMULQDQ $0x10, X8, X0, X1; \
	VPSRLDQ    $8, X0, X0;        \
	VPXOR      X1, X0, X0;        \
	VPCLMULQDQ $0x00, X9, X0, X1; \
	VPCLMULQDQ $0x10, X9, X1, X2; \
	VPXOR      X2, X0, X0;        \
	VPSRLDQ    $8, X0, X0;        \
	VPXOR      X1, X0, X0;        \
	VMOVQ      X0, AX

// VFOLD is FOLD for X and Y registers, lane by lane. It leaves data as they
// are, and they may stand in memory.
#define VFOLD(acc, tmp, k, data) \
	VPCLMULQDQ $0x00, k, acc, tmp; \
	VPCLMULQDQ $0x11, k, acc, acc; \
	VPXOR      data, tmp, tmp;     \
	VPXOR      tmp, acc, acc

// func updateVPCLMUL256(crc uint64, p []byte) uint64
// len(p) is a multiple of 128, and not zero.
TEXT ·updateVPCLMUL256(SB), NOSPLIT, $0-40
	MOVQ    crc+0(FP), AX
	MOVQ    p_base+8(FP), SI
	MOVQ    p_len+16(FP), CX
	LEAQ    ·constants(SB), DI
	VMOVDQU folding_by128(DI), X8
	VMOVDQU folding_barrett(DI), X9
	VBROADCASTI128 folding_by256(DI), Y10
	VBROADCASTI128 folding_by1024(DI), Y11

	// VMOVQ clears the upper lanes: only the first eight bytes change.
	NOTQ    AX
	VMOVQ   AX, X4
	VPXOR   0(SI), Y4, Y0
	VMOVDQU 32(SI), Y1
	VMOVDQU 64(SI), Y2
	VMOVDQU 96(SI), Y3

	PCALIGN $16
loop:
	ADDQ $128, SI
	SUBQ $128, CX
	JEQ  merge
	VFOLD(Y0, Y4, Y11, 0(SI))
	VFOLD(Y1, Y5, Y11, 32(SI))
	VFOLD(Y2, Y6, Y11, 64(SI))
	VFOLD(Y3, Y7, Y11, 96(SI))
	JMP  loop

merge:
	// Four registers into one, then the first lane onto the second.
	VFOLD(Y0, Y4, Y10, Y1)
	VFOLD(Y0, Y4, Y10, Y2)
	VFOLD(Y0, Y4, Y10, Y3)
	VEXTRACTI128 $1, Y0, X1
	VFOLD(X0, X4, X8, X1)
	VREDUCE
	VZEROUPPER
	NOTQ AX
	MOVQ AX, ret+32(FP)
	RET

// ZFOLD is VFOLD for Z registers. 0x96 is the truth table of the exclusive or
// of three.
#define ZFOLD(acc, tmp, k, data) \
	VPCLMULQDQ $0x00, k, acc, tmp; \
	VPCLMULQDQ $0x11, k, acc, acc; \
	VPTERNLOGQ $0x96, data, tmp, acc

// func updateVPCLMUL512(crc uint64, p []byte) uint64
// len(p) is a multiple of 256, and not zero.
TEXT ·updateVPCLMUL512(SB), NOSPLIT, $0-40
	MOVQ    crc+0(FP), AX
	MOVQ    p_base+8(FP), SI
	MOVQ    p_len+16(FP), CX
	LEAQ    ·constants(SB), DI
	VMOVDQU folding_by128(DI), X8
	VMOVDQU folding_barrett(DI), X9
	VBROADCASTI128  folding_by256(DI), Y10
	VBROADCASTI32X4 folding_by512(DI), Z11
	VBROADCASTI32X4 folding_by2048(DI), Z12

	NOTQ      AX
	VMOVQ     AX, X4
	VPXORQ    0(SI), Z4, Z0
	VMOVDQU64 64(SI), Z1
	VMOVDQU64 128(SI), Z2
	VMOVDQU64 192(SI), Z3

	PCALIGN $16
loop:
	ADDQ $256, SI
	SUBQ $256, CX
	JEQ  merge
	ZFOLD(Z0, Z4, Z12, 0(SI))
	ZFOLD(Z1, Z5, Z12, 64(SI))
	ZFOLD(Z2, Z6, Z12, 128(SI))
	ZFOLD(Z3, Z7, Z12, 192(SI))
	JMP  loop

merge:
	// Four registers into one, then its first half onto the second, twice.
	ZFOLD(Z0, Z4, Z11, Z1)
	ZFOLD(Z0, Z4, Z11, Z2)
	ZFOLD(Z0, Z4, Z11, Z3)
	VEXTRACTI64X4 $1, Z0, Y1
	VFOLD(Y0, Y4, Y10, Y1)
	VEXTRACTI128 $1, Y0, X1
	VFOLD(X0, X4, X8, X1)
	VREDUCE
	VZEROUPPER
	NOTQ AX
	MOVQ AX, ret+32(FP)
	RET
