package upload

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// sharedValues are shared by the files of a client. They need no lock.
type sharedValues struct {
	paths       resolver
	links       hardLinks
	lastOptions atomic.Pointer[File]
	lastSite    atomic.Pointer[site]
	providers   providers
	warnV1      sync.Once
	following   following // of a timetable
}

// options returns f without its path, destination, Info and [extras]. Most files of a list have
// the same options: they share one copy, which keeps a long list small. The error names
// an option that OSS would refuse.
func (s *sharedValues) options(f File) (*File, error) {
	f.Path, f.Endpoint, f.Bucket, f.Object, f.Info = "", "", "", "", nil
	f.Tag, f.OnProgress, f.Credentials = nil, nil, nil
	comparable := f.FS == nil && f.Source == nil && f.Reader == nil
	if last := s.lastOptions.Load(); comparable && last != nil && reflect.DeepEqual(last, &f) {
		return last, nil
	}
	own := f
	if err := own.check(); err != nil {
		return nil, err
	}
	if comparable {
		s.lastOptions.Store(&own)
	}
	return &own, nil
}

// objectOptions are the properties of the object to be made.
func (e *entry) objectOptions() target.ObjectOptions {
	f := *e.options
	f.Path, f.Info = e.path, e.info
	if e.ownDestination {
		f.Object = e.object
	}
	return f.object()
}
