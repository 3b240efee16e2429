package checkpoint

import (
	"os"
	"syscall"
)

// closeFirst: an open file can be neither renamed nor removed here.
const closeFirst = true

var (
	diskFull  = []error{syscall.Errno(112), syscall.Errno(39)} // ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL
	fileLimit = []error{syscall.Errno(223)}                    // ERROR_FILE_TOO_LARGE
	readOnly  = []error{syscall.Errno(19)}                     // ERROR_WRITE_PROTECT
	notDir    = []error{syscall.Errno(267)}                    // ERROR_DIRECTORY
	noLocks   = []error{syscall.Errno(1), syscall.Errno(50)}   // ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED
)

// syncDir does nothing: NTFS keeps its directories in order by itself.
func syncDir(string) error { return nil }

// writable cannot be seen from the outside: it is seen when a file is made.
func writable(string) error { return nil }

// owner is not known: the temporary directory is the user's own.
func owner(os.FileInfo) (uid int, known bool) { return 0, false }

// isLinked cannot be seen without opening the file.
func isLinked(os.FileInfo) bool { return false }
