package descriptors

import "syscall"

// Those of Go, of opening a file (ERROR_TOO_MANY_OPEN_FILES), and of opening a socket
// (WSAEMFILE).
var exhausted = []error{syscall.EMFILE, syscall.ENFILE, syscall.Errno(4), syscall.Errno(10024)}
