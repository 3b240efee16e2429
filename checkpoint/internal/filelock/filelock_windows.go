package filelock

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

var (
	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx   = kernel32.NewProc("LockFileEx")
	unlockFileEx = kernel32.NewProc("UnlockFileEx")
)

const (
	lockfileFailImmediately = 1
	lockfileExclusiveLock   = 2
	errorLockViolation      = syscall.Errno(33)
)

// lockedByte is the byte that is locked: far behind the end of any file, as locked
// bytes cannot be read, and one before the one that bbolt locks.
func lockedByte() *syscall.Overlapped {
	const last = 1<<32 - 1
	return &syscall.Overlapped{Offset: last - 1, OffsetHigh: last}
}

// Try locks f for one holder or, shared, for many. It does not wait: false is
// that another holder has it.
func Try(f *os.File, shared bool) (bool, error) {
	flags := uintptr(lockfileFailImmediately)
	if !shared {
		flags |= lockfileExclusiveLock
	}
	ok, _, err := lockFileEx.Call(f.Fd(), flags, 0, 1, 0, uintptr(unsafe.Pointer(lockedByte())))
	switch {
	case ok != 0:
		return true, nil
	case errors.Is(err, errorLockViolation):
		return false, nil
	}
	return false, os.NewSyscallError("LockFileEx", err)
}

// Unlock gives the lock back at once: Windows takes its time with those of files
// that were only closed.
func Unlock(f *os.File) {
	_, _, _ = unlockFileEx.Call(f.Fd(), 0, 1, 0, uintptr(unsafe.Pointer(lockedByte())))
}
