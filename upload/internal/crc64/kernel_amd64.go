//go:build gc && !purego

package crc64

const (
	pclmul     kernel = 1 + iota // 16 bytes in a register: SSE2 and PCLMULQDQ
	vpclmul256                   // 32 bytes in a register: AVX2 and VPCLMULQDQ
	vpclmul512                   // 64 bytes in a register: AVX-512F and VPCLMULQDQ

	lastKernel = vpclmul512
)

// The bytes that one step of each kernel takes, each a power of two.
const (
	blockPCLMUL     = 16
	blockVPCLMUL256 = 4 * 32
	blockVPCLMUL512 = 4 * 64
)

// updatePCLMUL needs whole blocks of 16 bytes, and at least one.
//
//go:noescape
func updatePCLMUL(crc uint64, p []byte) uint64

// updateVPCLMUL256 needs whole blocks of 128 bytes, and at least one.
//
//go:noescape
func updateVPCLMUL256(crc uint64, p []byte) uint64

// updateVPCLMUL512 needs whole blocks of 256 bytes, and at least one.
//
//go:noescape
func updateVPCLMUL512(crc uint64, p []byte) uint64

func (k kernel) update(crc uint64, p []byte) uint64 {
	for len(p) > maxCall {
		crc, p = k.updateCall(crc, p[:maxCall]), p[maxCall:]
	}
	return k.updateCall(crc, p)
}

// updateCall is update for at most maxCall bytes.
func (k kernel) updateCall(crc uint64, p []byte) uint64 {
	switch k {
	case vpclmul512:
		if n := len(p) &^ (blockVPCLMUL512 - 1); n > 0 {
			crc, p = updateVPCLMUL512(crc, p[:n]), p[n:]
		}
	case vpclmul256:
		if n := len(p) &^ (blockVPCLMUL256 - 1); n > 0 {
			crc, p = updateVPCLMUL256(crc, p[:n]), p[n:]
		}
	}
	if k != tableOnly {
		if n := len(p) &^ (blockPCLMUL - 1); n > 0 {
			crc, p = updatePCLMUL(crc, p[:n]), p[n:]
		}
	}
	if len(p) == 0 {
		return crc
	}
	return updateTable(crc, p)
}

func (k kernel) available() bool {
	switch k {
	case tableOnly:
		return true
	case pclmul:
		return cpu.pclmul
	case vpclmul256:
		return cpu.vpclmul256
	case vpclmul512:
		return cpu.vpclmul512
	}
	return false
}

func (k kernel) String() string {
	return [...]string{"table", "pclmul", "vpclmul256", "vpclmul512"}[k]
}
