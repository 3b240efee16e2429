package upload_test

import (
	"os"
	"syscall"
	"testing"
)

func init() { writeThroughMap = mapAndWrite }

func mapAndWrite(t *testing.T, path string) (again func()) {
	f := must(os.OpenFile(path, os.O_RDWR, 0))
	defer f.Close()
	size := int(must(f.Stat()).Size())
	m := must(syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED))
	t.Cleanup(func() { _ = syscall.Munmap(m) })
	m[0]++
	return func() { m[0]++ }
}
