package upload

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A site is the part of a destination that all objects at one endpoint share.
type site struct {
	endpoint target.Endpoint
	region   string
	text     string // of the endpoint
}

// sites keeps the last site, since most files of a list go to the same.
type sites struct{ last atomic.Pointer[site] }

// of returns the site of t.
func (s *sites) of(t target.Target) *site {
	last := s.last.Load()
	if last == nil || last.endpoint != t.Endpoint || last.region != t.Region {
		last = &site{t.Endpoint, t.Region, t.Endpoint.String()}
		s.last.Store(last)
	}
	return last
}

// setTarget sets where the file goes. s is the site of t.
func (e *entry) setTarget(s *site, t target.Target) {
	e.site, e.bucket, e.object = s, t.Bucket, t.Object
}

// target is where the file goes; the zero Target while that is not known.
func (e *entry) target() target.Target {
	if e.site == nil {
		return target.Target{}
	}
	return target.Target{Endpoint: e.site.endpoint, Region: e.site.region, Bucket: e.bucket, Object: e.object}
}

// checkFolderName returns an error for bytes whose object would have the name of a folder:
// OSS stores it, and its console, as most tools, shows a folder and not the bytes. size is
// -1 while it is not known.
func checkFolderName(object string, size int64) error {
	if size == 0 || !strings.HasSuffix(object, "/") {
		return nil
	}
	return fmt.Errorf("%w: File.Object: got %q, which ends in a slash, as only folders of 0 bytes do; want the name of the file after it", ErrInvalidArgument, object)
}
