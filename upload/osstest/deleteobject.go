package osstest

import (
	"net/http"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// A deletion is what DeleteObject did.
type deletion struct {
	version string          // the version that was deleted, or the new delete marker
	marker  bool            // version is a delete marker
	removed *storage.Object // its content must be released
}

func (s *Server) deleteObject(w http.ResponseWriter, req *request) *osserr.Error {
	d, aerr := s.delete(req.bucket, req.key, req.query.Get("versionId"))
	if aerr != nil {
		return aerr
	}
	if d.version != "" {
		w.Header().Set("X-Oss-Version-Id", d.version)
	}
	if d.marker {
		w.Header().Set("X-Oss-Delete-Marker", "true")
	}
	s.writeEmpty(w, req, http.StatusNoContent)
	return nil
}

// delete deletes an object, or one version of it. What is not there counts as
// deleted.
func (s *Server) delete(bucketName, key, version string) (deletion, *osserr.Error) {
	s.mu.Lock()
	d, aerr := s.deleteLocked(bucketName, key, version)
	s.mu.Unlock()
	if d.removed != nil {
		d.removed.Content.Release()
	}
	return d, aerr
}

func (s *Server) deleteLocked(bucketName, key, version string) (deletion, *osserr.Error) {
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return deletion{}, aerr
	}
	if version == "" && b.Versioning != "" {
		return s.markDeleted(b, key)
	}
	d := deletion{version: version}
	if version == "" {
		version = storage.NullVersion
	}
	if version == storage.NullVersion && b.Versioning == "" {
		d.version = "" // there is no other, and OSS does not name it
	}
	o := b.Version(key, version)
	if o == nil {
		return d, nil
	}
	if err := s.disk.RemoveObject(b, o); err != nil {
		return deletion{}, osserr.Internal(err)
	}
	d.removed, d.marker = b.Remove(key, version), o.Marker
	return d, nil
}

// markDeleted puts a delete marker on an object.
func (s *Server) markDeleted(b *storage.Bucket, key string) (deletion, *osserr.Error) {
	o := &storage.Object{Key: key, Marker: true, Modified: s.now()}
	removed, aerr := s.storeLocked(b.Name, o, false, "")
	return deletion{version: o.Version, marker: true, removed: removed}, aerr
}
