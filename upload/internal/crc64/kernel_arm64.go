//go:build gc && !purego

package crc64

const (
	pmull kernel = 1 + iota // 16 bytes in a register

	lastKernel = pmull
)

// blockPMULL is what one step of updatePMULL takes, in bytes.
const blockPMULL = 16

// hasPMULL reports whether the processor has the instruction: it is an optional
// one, and the system has to be asked. How is in the cpu files, one for each
// system.
var hasPMULL = detectPMULL()

// updatePMULL needs whole blocks of 16 bytes, and at least one.
//
//go:noescape
func updatePMULL(crc uint64, p []byte) uint64

func (k kernel) update(crc uint64, p []byte) uint64 {
	if k == pmull {
		for len(p) >= blockPMULL {
			n := min(len(p), maxCall) &^ (blockPMULL - 1)
			crc, p = updatePMULL(crc, p[:n]), p[n:]
		}
	}
	return updateTable(crc, p)
}

func (k kernel) available() bool {
	return k == tableOnly || k == pmull && hasPMULL
}

func (k kernel) String() string {
	return [...]string{"table", "pmull"}[k]
}
