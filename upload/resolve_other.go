//go:build !unix

package upload

import "io/fs"

// linked is false here: each name is taken for a file of its own.
func linked(fs.FileInfo) (inode, bool) { return inode{}, false }
