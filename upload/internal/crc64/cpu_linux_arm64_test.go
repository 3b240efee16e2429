//go:build gc && !purego

package crc64

import (
	"encoding/binary"
	"testing"
)

func TestAuxvHasPMULL(t *testing.T) {
	vector := func(words ...uint64) []byte {
		var b []byte
		for _, w := range words {
			b = binary.NativeEndian.AppendUint64(b, w)
		}
		return b
	}
	for _, test := range []struct {
		name string
		auxv []byte
		want bool
	}{
		{"with PMULL", vector(33, 1, 16, 1<<4|1, 0, 0), true},
		{"without PMULL", vector(33, 1, 16, 1<<3|1<<5, 0, 0), false},
		{"without AT_HWCAP", vector(33, 16, 26, 1<<4, 0, 0), false},
		{"cut off", vector(16, 1<<4)[:15], false},
		{"empty", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := auxvHasPMULL(test.auxv); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
