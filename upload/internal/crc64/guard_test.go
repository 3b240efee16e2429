//go:build linux || darwin

package crc64

import (
	std "hash/crc64"
	"runtime/debug"
	"syscall"
	"testing"
)

// guarded returns two pages of memory between two that nobody may touch.
func guarded(t *testing.T) []byte {
	page := syscall.Getpagesize()
	all, err := syscall.Mmap(-1, 0, 4*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("map four pages: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Errorf("unmap: %v", err)
		}
	})
	for _, guard := range [][]byte{all[:page], all[3*page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatalf("protect a page: %v", err)
		}
	}
	return all[page : 3*page]
}

func TestKernelsReadNothingOutsideTheSlice(t *testing.T) {
	memory := guarded(t)
	copy(memory, randomBytes(len(memory)))
	eachKernel(t, func(t *testing.T, k kernel) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		n := 0
		defer func() {
			if fault := recover(); fault != nil {
				t.Errorf("%d bytes: %v", n, fault)
			}
		}()
		for ; n <= 1600; n++ {
			atStart, atEnd := memory[:n], memory[len(memory)-n:]
			if got, want := k.update(3, atStart), std.Update(3, table, atStart); got != want {
				t.Fatalf("%d bytes at the start: got %#x, want %#x", n, got, want)
			}
			if got, want := k.update(3, atEnd), std.Update(3, table, atEnd); got != want {
				t.Fatalf("%d bytes at the end: got %#x, want %#x", n, got, want)
			}
		}
	})
}
