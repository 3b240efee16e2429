//go:build !unix

package hotfolder

import "io/fs"

func inodeOf(fs.FileInfo) uint64 { return 0 }
