package output

import "fmt"

// Checked counts a file that was looked at and is as it should be.
func (r *Reporter) Checked(e Event, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Files++
	r.emitLocked(e)
	r.detailLocked(fmt.Sprintf(format, args...))
}

// Extra counts an object that has no file.
func (r *Reporter) Extra(e Event, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Extra++
	e.Type = "extra"
	r.emitLocked(e)
	r.detailLocked(fmt.Sprintf(format, args...))
}
