//go:build gc && !purego

package crc64

// cpu knows which kernels can run here.
var cpu = decide(readCPU())

// features has a field for each kernel.
type features struct {
	pclmul, vpclmul256, vpclmul512 bool
}

// registers is what the processor says of itself: CPUID leaf 1 ECX, leaf 7
// EBX and ECX, and the low half of XCR0. What the processor lacks is zero.
type registers struct {
	leaf1ECX, leaf7EBX, leaf7ECX, xcr0 uint32
}

// The bits that decide, from the Intel manual: volume 2, CPUID, and volume 1,
// section 13.3 for XCR0.
const (
	leaf1PCLMULQDQ  = 1 << 1
	leaf1OSXSAVE    = 1 << 27
	leaf7AVX2       = 1 << 5  // EBX
	leaf7AVX512F    = 1 << 16 // EBX
	leaf7VPCLMULQDQ = 1 << 10 // ECX

	xcr0YMM = 1<<1 | 1<<2                  // the registers of SSE and AVX
	xcr0ZMM = xcr0YMM | 1<<5 | 1<<6 | 1<<7 // and the three sets of AVX-512
)

// decide returns the kernels that can run. It is not enough that the
// processor knows an instruction: a register that the system does not save
// for each thread may change under our feet, and XCR0 has those that it saves.
func decide(r registers) features {
	wide := r.leaf1ECX&leaf1PCLMULQDQ != 0 && r.leaf7ECX&leaf7VPCLMULQDQ != 0
	return features{
		pclmul:     r.leaf1ECX&leaf1PCLMULQDQ != 0,
		vpclmul256: wide && r.leaf7EBX&leaf7AVX2 != 0 && r.xcr0&xcr0YMM == xcr0YMM,
		vpclmul512: wide && r.leaf7EBX&leaf7AVX2 != 0 && r.leaf7EBX&leaf7AVX512F != 0 && r.xcr0&xcr0ZMM == xcr0ZMM,
	}
}

// readCPU asks the processor.
func readCPU() registers {
	var r registers
	maxLeaf, _, _, _ := cpuid(0, 0)
	_, _, r.leaf1ECX, _ = cpuid(1, 0)
	if maxLeaf >= 7 {
		_, r.leaf7EBX, r.leaf7ECX, _ = cpuid(7, 0)
	}
	if r.leaf1ECX&leaf1OSXSAVE != 0 {
		r.xcr0 = xgetbv()
	}
	return r
}

// cpuid executes CPUID with leaf in EAX and subleaf in ECX.
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

// xgetbv returns the low half of XCR0. The instruction exists only where
// CPUID reports OSXSAVE.
func xgetbv() (eax uint32)
