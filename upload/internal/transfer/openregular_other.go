//go:build !linux

package transfer

import "os"

func openRegular(path string) (*os.File, error) {
	return openNoWait(func(flags int) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|flags, 0) })
}
