//go:build !linux

package hotfolder

import "os"

// openForWriting is not known here.
func openForWriting(*os.File) (writing, known bool) { return false, false }
