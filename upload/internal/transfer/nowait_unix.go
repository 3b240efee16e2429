//go:build unix

package transfer

import (
	"errors"
	"os"
	"syscall"
)

// openNoWait opens a file by a function that takes further flags. Where there is a named
// pipe by now, it does not wait for somebody to write to it. A file on which another process
// has a lease, as Samba has for its clients, cannot be opened so: it waits for that. Reads of
// the file wait as they always do: a file system in user space sees the flag with each.
func openNoWait(open func(flags int) (*os.File, error)) (*os.File, error) {
	f, err := open(syscall.O_NONBLOCK)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return open(0)
	}
	if err != nil {
		return nil, err
	}
	conn, err := f.SyscallConn()
	if err == nil {
		var cleared error
		err = conn.Control(func(fd uintptr) { cleared = syscall.SetNonblock(int(fd), false) })
		err = errors.Join(err, cleared)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
