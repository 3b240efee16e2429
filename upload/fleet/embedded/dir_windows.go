package embedded

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Folders have lists of rights there, and those of a user are the user's by default.
func checkPrivate(string, fs.FileInfo) error { return nil }

const errorSharingViolation syscall.Errno = 32

// lockFile opens the file without sharing it, which ends with the process, too.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, errorSharingViolation):
		return nil, errLocked
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}
