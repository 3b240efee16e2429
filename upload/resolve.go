package upload

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// resolve returns a file's path without symbolic links, and what is there. It returns
// path itself if there is no such path, as for an open file under /proc, or if that
// leads to another file. The second result is nil if there is nothing at path.
func (r *resolver) resolve(path string) (string, fs.FileInfo) {
	if resolved, info := r.beside(path); info != nil {
		return resolved, info
	}
	info, err := os.Stat(path)
	if err != nil {
		return path, nil
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path, info
	}
	if at, err := os.Lstat(resolved); err != nil || !os.SameFile(at, info) {
		return path, info
	}
	r.keep(filepath.Dir(path), filepath.Dir(resolved))
	return resolved, info
}

// A resolver keeps the folder of the last path: most files of a list are in one folder,
// and resolving each name of a path costs more than anything else about adding it. Its
// zero value is ready for use.
type resolver struct{ last atomic.Pointer[resolvedDir] }

type resolvedDir struct {
	given, path string
	info        fs.FileInfo // of path, which is no link
}

func (r *resolver) keep(given, path string) {
	if info, err := os.Lstat(path); err == nil {
		r.last.Store(&resolvedDir{given, path, info})
	}
}

// beside returns the path of a file in the last folder, and what is there, if the file and
// the folder are the same there, and no links. Else it returns nil.
func (r *resolver) beside(path string) (string, fs.FileInfo) {
	dir := r.last.Load()
	if dir == nil || filepath.Dir(path) != dir.given {
		return "", nil
	}
	if now, err := os.Lstat(dir.path); err != nil || !os.SameFile(now, dir.info) {
		return "", nil
	}
	resolved := filepath.Join(dir.path, filepath.Base(path))
	at, err := os.Lstat(resolved)
	if err != nil || !at.Mode().IsRegular() {
		return "", nil
	}
	if resolved != path { // a link is above it, which may lead elsewhere by now
		if info, err := os.Stat(path); err != nil || !os.SameFile(at, info) {
			return "", nil
		}
	}
	return resolved, at
}

// sourceNames finds one name for each file of the system, whatever path leads to it.
type sourceNames struct {
	paths resolver
	links hardLinks
}

// hardLinks finds one name for files that have several: the first under which a file was
// added to the client. Two processes that add a file under two names do not know of each
// other: a checkpoint is found by its name, since the inode is another one where the file
// was copied or restored, or a volume mounted again, and its upload is to resume there.
type hardLinks struct {
	mu    sync.Mutex
	first map[inode]string
}

// An inode identifies a file of the system, whatever its name.
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
		ok = err == nil && os.SameFile(at, info) // otherwise the number has been given to another file
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
