//go:build !windows

package descriptors

import "syscall"

var exhausted = []error{syscall.EMFILE, syscall.ENFILE}
