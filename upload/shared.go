package upload

import (
	"sync"
)

// sharedValues are shared by the files of a client. They need no lock, but for shelf,
// entriesPeak and newWaits, which the client's guards.
type sharedValues struct {
	names       sourceNames
	sites       sites
	providers   providers
	shelf       shelf
	entriesPeak int // see filelist.Shrink
	newWaits    newWaits
	counters    counters
	warnV1      sync.Once
	following   following // of a timetable
}
