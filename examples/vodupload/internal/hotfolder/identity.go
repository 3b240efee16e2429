package hotfolder

import (
	"io/fs"
	"time"
)

// An Identity says which file, in which state, was at a path.
type Identity struct {
	Size    int64
	ModTime time.Time
	Inode   uint64 // 0 where the system has none
}

// Equal reports whether both are of the same file in the same state.
func (i Identity) Equal(o Identity) bool {
	return i.Size == o.Size && i.ModTime.Equal(o.ModTime) && i.Inode == o.Inode
}

// IdentityOf returns the identity of the file that info is about.
func IdentityOf(info fs.FileInfo) Identity {
	return Identity{Size: info.Size(), ModTime: info.ModTime(), Inode: inodeOf(info)}
}
