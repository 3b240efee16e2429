//go:build gc && !purego

package crc64

import (
	"encoding/binary"
	"os"
)

// detectPMULL reads the auxiliary vector, in which Linux gives each process
// what the processor has. Where /proc is not mounted, the answer is no.
func detectPMULL() bool {
	auxv, err := os.ReadFile("/proc/self/auxv")
	return err == nil && auxvHasPMULL(auxv)
}

// auxvHasPMULL looks for AT_HWCAP among the pairs of a number and a value,
// eight bytes each, and in it for HWCAP_PMULL. The numbers are those of
// Linux, include/uapi/linux/auxvec.h and arch/arm64/include/uapi/asm/hwcap.h.
func auxvHasPMULL(auxv []byte) bool {
	const (
		hwcap      = 16
		hwcapPMULL = 1 << 4
	)
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.NativeEndian.Uint64(auxv) == hwcap {
			return binary.NativeEndian.Uint64(auxv[8:])&hwcapPMULL != 0
		}
	}
	return false
}
