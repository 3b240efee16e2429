package transfer

import (
	"io/fs"
	"os"
)

// OpenIn is [OpenFile] for the file name in root, which is at path: what is opened is
// below root, whatever links there are by now.
func OpenIn(root *os.Root, name, path string) (Source, error) {
	s, err := open(path,
		func() (fs.FileInfo, error) { return os.Lstat(path) },
		func() (fs.File, error) { return openBelow(root, name) })
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil { // path leads to another file than root
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func openBelow(root *os.Root, name string) (*os.File, error) {
	return openNoWait(func(flags int) (*os.File, error) { return root.OpenFile(name, os.O_RDONLY|flags, 0) })
}
