package upload

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A folder is one that AddDir has listed. Its files may wait for hours, and meanwhile
// anybody with write access to the folder can replace them with links. The folder makes
// sure that no such link leads out of it. It holds no descriptor while files wait.
type folder struct {
	given string      // to AddDir, absolute
	path  string      // without symbolic links
	info  fs.FileInfo // of the folder that was listed
}

// openFolder opens the folder at dir.
func openFolder(dir string) (*folder, *os.Root, error) {
	if dir == "" {
		return nil, nil, fmt.Errorf("%w: dir is empty", ErrMissingArgument)
	}
	given, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	d := &folder{given: given}
	d.path, _ = new(resolver).resolve(given)
	root, err := d.root()
	return d, root, err
}

// root opens the folder. The first call records which folder it is; later ones return
// an error for another.
func (d *folder) root() (*os.Root, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil && d.info == nil {
		d.info = info
	}
	if err == nil && !os.SameFile(info, d.info) {
		err = fmt.Errorf("%w: the folder at %s is not the one that AddDir listed", ErrFileNotExist, d.path)
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

// resolved returns the path of a listed file without symbolic links.
func (d *folder) resolved(path string) string {
	return filepath.Join(d.path, strings.TrimPrefix(path, d.given))
}

// open opens the file at a path that resolved has returned.
func (d *folder) open(path string) (transfer.Source, error) {
	name, err := filepath.Rel(d.path, path)
	if err != nil {
		return nil, err
	}
	openRoot := d.root
	return transfer.OpenIn(path, func() (fs.File, error) {
		root, err := openRoot()
		if err != nil {
			return nil, err
		}
		defer root.Close()
		// If the file has to be opened again, the folder was mounted anew: it is another one.
		openRoot = func() (*os.Root, error) { return os.OpenRoot(d.path) }
		if err := d.hasNoLink(root, name); err != nil {
			return nil, err
		}
		return transfer.OpenBelow(root, name, path)
	})
}

// hasNoLink returns an error if name, or a folder above it, is a symbolic link. One that
// is put there right after the check leads to another file of the folder at most.
func (d *folder) hasNoLink(root *os.Root, name string) error {
	for i, c := range name + string(filepath.Separator) {
		if c != filepath.Separator {
			continue
		}
		info, err := root.Lstat(name[:i])
		if err != nil {
			return err
		}
		if info.Mode().Type() == fs.ModeSymlink {
			return fmt.Errorf("%w: %s is a symbolic link now, which AddDir does not follow", ErrFileNotExist, filepath.Join(d.path, name[:i]))
		}
	}
	return nil
}
