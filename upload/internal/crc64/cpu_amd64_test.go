//go:build gc && !purego

package crc64

import (
	"bufio"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestDecideNeedsProcessorAndSystem(t *testing.T) {
	all := registers{
		leaf1ECX: leaf1PCLMULQDQ | leaf1OSXSAVE,
		leaf7EBX: leaf7AVX2 | leaf7AVX512F,
		leaf7ECX: leaf7VPCLMULQDQ,
		xcr0:     xcr0ZMM,
	}
	for _, test := range []struct {
		name   string
		change func(*registers)
		want   features
	}{
		{"everything", func(*registers) {}, features{true, true, true}},
		{"nothing", func(r *registers) { *r = registers{} }, features{}},
		{"no PCLMULQDQ", func(r *registers) { r.leaf1ECX &^= leaf1PCLMULQDQ }, features{}},
		{"no VPCLMULQDQ", func(r *registers) { r.leaf7ECX = 0 }, features{pclmul: true}},
		{"no AVX2", func(r *registers) { r.leaf7EBX = 0 }, features{pclmul: true}},
		{"no AVX-512", func(r *registers) { r.leaf7EBX = leaf7AVX2 }, features{pclmul: true, vpclmul256: true}},
		{"the system saves no wide registers", func(r *registers) { r.xcr0 = 1<<0 | 1<<1 }, features{pclmul: true}},
		{"the system saves those of AVX", func(r *registers) { r.xcr0 = xcr0YMM }, features{pclmul: true, vpclmul256: true}},
		{"the system saves half of AVX-512", func(r *registers) { r.xcr0 &^= 1 << 7 }, features{pclmul: true, vpclmul256: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := all
			test.change(&r)
			if got := decide(r); got != test.want {
				t.Errorf("decide(%+v) = %+v, want %+v", r, got, test.want)
			}
		})
	}
}

func TestDetectionAgreesWithLinux(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux lists the processor's features in a file")
	}
	flags := cpuFlags(t)
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(flags, name) })
	}
	want := features{
		pclmul:     has("pclmulqdq"),
		vpclmul256: has("pclmulqdq", "vpclmulqdq", "avx2"),
		vpclmul512: has("pclmulqdq", "vpclmulqdq", "avx2", "avx512f"),
	}
	if cpu != want {
		t.Errorf("detected %+v, Linux says %+v", cpu, want)
	}
}

// cpuFlags returns the first line of flags in /proc/cpuinfo.
func cpuFlags(t *testing.T) []string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, flags, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(name) == "flags" {
			return strings.Fields(flags)
		}
	}
	t.Skipf("/proc/cpuinfo has no line of flags: %v", lines.Err())
	return nil
}
