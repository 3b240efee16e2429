//go:build !windows

package output

import "os"

// steerable reports whether the terminal understands how the cursor is moved.
func steerable(*os.File) bool { return true }
