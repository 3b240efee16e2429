package transfer

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// File systems by their magic numbers (statfs(2)).
const (
	tmpfsMagic   = 0x01021994 // in memory, as ramfs and hugetlbfs are
	ramfsMagic   = 0x858458f6
	hugetlbMagic = 0x958458f6
	overlayMagic = 0x794c7630
)

// writeBack writes the dirty pages of a file to its disk; false if it cannot. The kernel
// protects a page when it writes it back, and so learns of the next write.
func writeBack(f fs.File) bool {
	s, ok := f.(interface{ Sync() error })
	return ok && showsMaps(kindOfSystem(f)) && s.Sync() == nil
}

// showsMaps reports whether a write through a map changes the times of a file that was
// written back. The upper layer of an overlay, of a container for example, may be in
// memory, and does not say so.
func showsMaps(kind uint32) bool { return kind != overlayMagic && !isInMemory(kind) }

// hasNoTimes reports whether a file is in memory only: there is no disk to write pages
// back to, and what is written through a map never changes a time.
func hasNoTimes(f fs.File) bool { return isInMemory(kindOfSystem(f)) }

func isInMemory(kind uint32) bool {
	return kind == tmpfsMagic || kind == ramfsMagic || kind == hugetlbMagic
}

// kindOfSystem returns the magic number of the file system that a file is in; 0 if it is
// not known.
func kindOfSystem(f fs.File) uint32 {
	st, _ := askSystem(f)
	return uint32(st.Type)
}

// askSystem returns what the file system that a file is in says of itself.
func askSystem(f fs.File) (st syscall.Statfs_t, err error) {
	file, ok := f.(*os.File)
	if !ok {
		return st, nil
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return st, err
	}
	cerr := conn.Control(func(fd uintptr) { err = syscall.Fstatfs(int(fd), &st) })
	return st, errors.Join(cerr, err)
}

func systemError(f fs.File) error {
	_, err := askSystem(f)
	return err
}
