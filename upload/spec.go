package upload

import (
	"reflect"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// specs keeps the options of files. A list is mostly made of files with the same
// ones: these share them, for a long list would else be mostly copies.
type specs struct{ last atomic.Pointer[File] }

// of returns what f says beyond what a file in the list says itself: path,
// destination and Info. The error names an option that OSS would refuse.
func (s *specs) of(f File) (*File, error) {
	f.Path, f.Endpoint, f.Bucket, f.Object, f.Info = "", "", "", "", nil
	comparable := f.FS == nil && f.Source == nil && f.Reader == nil
	if last := s.last.Load(); comparable && last != nil && reflect.DeepEqual(last, &f) {
		return last, nil
	}
	own := f
	if err := own.check(); err != nil {
		return nil, err
	}
	if comparable {
		s.last.Store(&own)
	}
	return &own, nil
}

// object returns the properties of the object to be made.
func (f *file) object() target.ObjectOptions {
	spec := *f.spec
	spec.Path, spec.Info = f.info.Path, f.info.Info
	if f.named {
		spec.Object = f.info.Object
	}
	return spec.object()
}
