package upload

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// AddDir adds all regular files below dir, in lexical order: each as like, with
// its own Path, and with the object name prefix + path below dir, with slashes;
// without a destination if like has neither Endpoint nor Bucket. Symbolic links below
// dir are not followed, nor is a link that replaces a file, or a folder above it, after
// it was listed: that file fails with [ErrFileNotExist]. skip, which may be nil, is
// called with the path below dir of each file and folder; true leaves it out, a folder
// with everything in it.
//
// It returns the IDs of the files that were added, even if some could not be; the error
// names each of those by its path. It is [ErrFileNotExist] if there is no dir.
func (c *Client) AddDir(dir, prefix string, like File, skip func(name string, d fs.DirEntry) bool) ([]FileID, error) {
	var ids []FileID
	var failed []error
	listed, root, err := openFolder(dir)
	if err != nil {
		return nil, notRead(dir, err)
	}
	defer root.Close()
	like.dir = listed
	walk := func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			failed = append(failed, notRead(filepath.Join(dir, filepath.FromSlash(name)), err))
			return nil
		case name != "." && skip != nil && skip(name, d):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		f := like
		f.Path = filepath.Join(dir, filepath.FromSlash(name))
		if like.Endpoint != "" || like.Bucket != "" {
			f.Object = prefix + path.Clean(name)
		}
		id, err := c.AddFile(f)
		if err != nil {
			failed = append(failed, target.OneLine(fmt.Errorf("AddDir: %s: %w", f.Path, err)))
			return nil
		}
		ids = append(ids, id)
		return nil
	}
	_ = fs.WalkDir(root.FS(), ".", walk) // walk keeps the errors
	return ids, target.Join(failed...)
}

// notRead is the error of a folder that cannot be read. The error of package os names
// only the path below dir.
func notRead(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = &fs.PathError{Op: inner.Op, Path: path, Err: inner.Err}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrFileNotExist, err)
	}
	return target.OneLine(fmt.Errorf("AddDir: %w", err))
}
