package checkpoint

import "sync"

// A table knows which files are claimed by this process. It answers where the
// system's locks are the process's and not the file's, and it lets List look at
// such an upload without a lock.
type table struct {
	mu sync.Mutex
	by map[string]*dirUpload
}

// inProcess is the table of this process: all stores in it share their claims.
var inProcess = table{by: make(map[string]*dirUpload)}

func (t *table) take(path string, u *dirUpload) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by[path] != nil {
		return false
	}
	t.by[path] = u
	return true
}

func (t *table) release(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, path)
}

func (t *table) holder(path string) *dirUpload {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by[path]
}
