//go:build unix

package transfer

import (
	"errors"
	"slices"
	"syscall"
)

// passing are what disks, network file systems and FUSE say while they are in trouble,
// and sources that read from a network.
var passing = []syscall.Errno{
	syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EAGAIN, syscall.EINTR, syscall.EBUSY,
	syscall.ENOMEM, syscall.ENOBUFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOLCK,
	syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.ECONNABORTED, syscall.ENOTCONN, syscall.EPIPE,
	syscall.EHOSTUNREACH, syscall.EHOSTDOWN, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.ENETRESET,
}

// losing are what Linux says of an open file whose NFS server does not know it any more, and
// of one whose FUSE daemon has ended, or was cut off.
var losing = []syscall.Errno{syscall.ESTALE, syscall.ENOTCONN, syscall.ECONNABORTED}

func errnoOutlook(err error) (passes, known bool) {
	var no syscall.Errno
	known = errors.As(err, &no)
	return slices.Contains(passing, no), known
}
