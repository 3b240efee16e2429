//go:build gc && !purego && !linux && !windows

package crc64

import "runtime"

// detectPMULL is true on Apple's systems, since every 64-bit processor of
// theirs has PMULL. The others are not asked.
func detectPMULL() bool {
	return runtime.GOOS == "darwin" || runtime.GOOS == "ios"
}
