//go:build !unix

package descriptors

// Limit returns 0: Windows lets a process have 16 million handles.
func Limit() int { return 0 }
