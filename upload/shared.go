package upload

import (
	"sync"
	"sync/atomic"
)

// sharedValues are shared by the files of a client. They need no lock.
type sharedValues struct {
	paths     resolver
	links     hardLinks
	lastSite  atomic.Pointer[site]
	providers providers
	counters  counters
	warnV1    sync.Once
	following following // of a timetable
}
