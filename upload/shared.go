package upload

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// sharedValues are what the client's files have in common. Their use needs no lock.
type sharedValues struct {
	paths       resolver
	links       hardLinks
	lastOptions atomic.Pointer[File]
	lastSite    atomic.Pointer[site]
	warnV1      sync.Once
}

// options returns what f says beyond what a file in the list says itself: path,
// destination and Info. A list is mostly made of files with the same options: these
// share them, for a long list would else be mostly copies. The error names an option
// that OSS would refuse.
func (s *sharedValues) options(f File) (*File, error) {
	f.Path, f.Endpoint, f.Bucket, f.Object, f.Info = "", "", "", "", nil
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
