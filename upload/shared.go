package upload

import (
	"sync"
)

// sharedValues are shared by the files of a client. The client's lock guards shelf,
// entriesPeak and newWaits; the others need no lock.
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
