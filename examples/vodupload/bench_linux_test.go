package main

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// dropPages has the next reads of files come from their disk.
func dropPages(b *testing.B, paths []string) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		if err := f.Sync(); err != nil { // what is dirty stays
			b.Fatal(err)
		}
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			b.Fatal(err)
		}
	}
}
