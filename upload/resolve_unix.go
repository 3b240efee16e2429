//go:build unix

package upload

import (
	"io/fs"
	"syscall"
)

// linked reports whether a file may have more than one name, and which file it is.
func linked(info fs.FileInfo) (inode, bool) {
	if info == nil {
		return inode{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Nlink < 2 {
		return inode{}, false
	}
	return inode{uint64(st.Dev), uint64(st.Ino)}, true
}
