//go:build !linux

package transfer

import "os"

func openRegular(path string) (*os.File, error) { return os.Open(path) }
