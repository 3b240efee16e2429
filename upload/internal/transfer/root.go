package transfer

import (
	"io/fs"
	"os"
)

// OpenIn is [OpenFile] for the file at path, which do opens by [OpenBelow].
func OpenIn(path string, do func() (fs.File, error)) (Source, error) {
	s, err := openSeen(path, func() (fs.FileInfo, error) { return os.Lstat(path) }, do)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil { // path leads to another file than do
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// OpenBelow opens the regular file name in root: what is opened is below root, whatever
// links there are by now.
func OpenBelow(root *os.Root, name, path string) (fs.File, error) {
	info, err := root.Lstat(name)
	if err == nil {
		err = CheckRegular(path, info)
	}
	if err != nil {
		return nil, err
	}
	return openBelow(root, name)
}

func openBelow(root *os.Root, name string) (*os.File, error) {
	return openNoWait(func(flags int) (*os.File, error) { return root.OpenFile(name, os.O_RDONLY|flags, 0) })
}
