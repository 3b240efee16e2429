//go:build !linux

package main

import "testing"

func dropPages(b *testing.B, _ []string) {
	b.Skip("only Linux is known to drop pages that it is asked to drop")
}
