package hotfolder

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/vodupload/vodupload/examples/vodupload/internal/fskind"
)

// openForWriting reports whether somebody has the file open for writing. A lease for
// reading is only given where nobody has (fcntl(2), Leases), and given back at once. Not
// every file system knows, and none says it of the files of other users.
func openForWriting(f *os.File) (writing, known bool) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, false
	}
	ctlErr := conn.Control(func(fd uintptr) {
		if fskind.NetworkOf(fd) != "" {
			err = unix.ENOTSUP // some answer EAGAIN to every lease
			return
		}
		if _, err = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK); err == nil {
			_, _ = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK)
		}
	})
	if ctlErr != nil {
		return false, false
	}
	if errors.Is(err, unix.EAGAIN) {
		return true, true
	}
	return false, err == nil
}
