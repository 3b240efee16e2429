package upload

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// resolve returns the one path that a file has without symbolic links, and what is
// there. Where there is no such path, as for an open file under /proc, or where it
// leads to another file, it is path itself. The second result is nil where nothing is
// at path.
func resolve(path string) (string, fs.FileInfo) {
	info, err := os.Stat(path)
	if err != nil {
		return path, nil
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil || resolved == path {
		return path, info
	}
	if at, err := os.Lstat(resolved); err != nil || !os.SameFile(at, info) {
		return path, info
	}
	return resolved, info
}

// hardLinks gives the files of a client that have several names one of them: the
// first under which the client met them.
type hardLinks struct {
	mu    sync.Mutex
	first map[inode]string
}

// An inode is a file of the system, by whatever name.
type inode struct{ device, number uint64 }

// of returns the name for the file at path.
func (h *hardLinks) of(path string, info fs.FileInfo) string {
	id, many := linked(info)
	if !many {
		return path
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	first, ok := h.first[id]
	if ok && first != path {
		at, err := os.Lstat(first)
		ok = err == nil && os.SameFile(at, info) // else the number was given to another file
	}
	if ok {
		return first
	}
	if h.first == nil {
		h.first = make(map[inode]string)
	}
	h.first[id] = path
	return path
}
