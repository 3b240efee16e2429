//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package filelock

import "os"

// Try does nothing on systems whose locks belong to the process: closing any
// handle of the file would lose them. There, bbolt's own lock keeps two processes
// from writing to the same file, from Begin on.
func Try(*os.File, bool) (bool, error) { return true, nil }

func Unlock(*os.File) {}
