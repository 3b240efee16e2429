//go:build gc && !purego

package crc64

import "syscall"

// detectPMULL asks Windows for PF_ARM_V8_CRYPTO_INSTRUCTIONS_AVAILABLE: AES,
// SHA and PMULL come together there.
func detectPMULL() bool {
	const cryptoInstructions = 30
	proc := syscall.NewLazyDLL("kernel32.dll").NewProc("IsProcessorFeaturePresent")
	if proc.Find() != nil {
		return false
	}
	present, _, _ := proc.Call(cryptoInstructions)
	return present != 0
}
