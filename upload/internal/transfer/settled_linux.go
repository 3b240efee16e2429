package transfer

import (
	"io/fs"
	"os"
	"syscall"
)

// tmpfsMagic and ramfsMagic are of file systems in memory (statfs(2)).
const (
	tmpfsMagic = 0x01021994
	ramfsMagic = 0x858458f6
)

// writeBack writes the dirty pages of a file to its disk; false if it cannot. The kernel
// protects a page when it writes it back, and so learns of the next write.
func writeBack(f fs.File) bool {
	s, ok := f.(interface{ Sync() error })
	return ok && !hasNoTimes(f) && s.Sync() == nil
}

// hasNoTimes reports whether a file is in memory only: there is no disk to write pages
// back to, and what is written through a map never changes a time.
func hasNoTimes(f fs.File) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return false
	}
	var st syscall.Statfs_t
	cerr := conn.Control(func(fd uintptr) { err = syscall.Fstatfs(int(fd), &st) })
	if cerr != nil || err != nil {
		return false
	}
	kind := uint32(st.Type)
	return kind == tmpfsMagic || kind == ramfsMagic
}
