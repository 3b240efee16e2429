//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

// Package filelock locks files for one holder, or for many readers. The system takes the
// locks of a process back when it ends.
package filelock

import (
	"errors"
	"os"
	"syscall"
)

// Try locks f for one holder or, shared, for many. It does not wait: false is
// that another holder has it. The lock belongs to the open file, so bbolt, which
// gets the same one, may lock it once more.
func Try(f *os.File, shared bool) (bool, error) {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, os.NewSyscallError("flock", err)
		}
	}
}

// Unlock gives the lock back at once, also where a child process that was just
// forked still has the file open.
func Unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
