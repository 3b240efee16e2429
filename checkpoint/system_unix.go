//go:build unix

package checkpoint

import (
	"errors"
	"os"
	"syscall"
)

// closeFirst: an open file can be renamed and removed here.
const closeFirst = false

var (
	diskFull  = []error{syscall.ENOSPC, syscall.EDQUOT}
	fileLimit = []error{syscall.EFBIG}
	readOnly  = []error{syscall.EROFS}
	notDir    = []error{syscall.ENOTDIR}
	noLocks   = []error{syscall.ENOLCK, syscall.ENOTSUP, syscall.EOPNOTSUPP}
)

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // file systems that know no such thing: FUSE, SMB
	}
	return join(err, d.Close())
}

// writable returns why files cannot be made in dir.
func writable(dir string) error {
	const writeAndSearch = 2 | 1
	if err := syscall.Access(dir, writeAndSearch); err != nil {
		return &os.PathError{Op: "write to", Path: dir, Err: err}
	}
	return nil
}

// owner returns the user that a file belongs to.
func owner(info os.FileInfo) (uid int, known bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}

// isLinked reports whether a file has more names than one.
func isLinked(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 1
}
