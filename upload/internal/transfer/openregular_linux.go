package transfer

import (
	"os"
	"syscall"
)

// openRegular is os.Open for a regular file. That would offer the file to the poller, which
// does not take it: four system calls more, and as many if it were still O_NONBLOCK.
func openRegular(path string) (*os.File, error) {
	return openNoWait(func(flags int) (*os.File, error) {
		for {
			fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|flags, 0)
			switch err {
			case nil:
				if flags != 0 {
					_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFL, 0)
				}
				return os.NewFile(uintptr(fd), path), nil
			case syscall.EINTR:
			default:
				return nil, &os.PathError{Op: "open", Path: path, Err: err}
			}
		}
	})
}
