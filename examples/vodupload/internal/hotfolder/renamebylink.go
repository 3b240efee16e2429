package hotfolder

import (
	"errors"
	"io/fs"
	"os"
)

// renameByLink renames by a second name for the file, which fails if that is taken. Where
// the file system has no links, it looks whether the name is free, and renames.
func renameByLink(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist):
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}
