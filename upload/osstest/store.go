package osstest

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// CreateBucket creates a private bucket, unless it exists. It returns an error
// if OSS would refuse the name.
func (s *Server) CreateBucket(name string) error {
	if !storage.ValidBucketName(name) {
		return fmt.Errorf("osstest: create bucket: %q is not a bucket name; want 3 to 63 of a-z, 0-9 and hyphens", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return nil
	}
	b := storage.NewBucket(name, s.now())
	b.CORS = corsOf(s.opts.CORS)
	if err := s.disk.SaveBucket(b); err != nil {
		return fmt.Errorf("osstest: create bucket %s: %w", name, err)
	}
	s.buckets[name] = b
	return nil
}

// bucketLocked returns a bucket. The caller holds s.mu.
func (s *Server) bucketLocked(name string) (*storage.Bucket, *osserr.Error) {
	if b := s.buckets[name]; b != nil {
		return b, nil
	}
	return nil, osserr.NoSuchBucket(name)
}

// bucketNow returns a copy of a bucket's own properties.
func (s *Server) bucketNow(name string) (*storage.Bucket, *osserr.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, aerr := s.bucketLocked(name)
	if aerr != nil {
		return nil, aerr
	}
	return b.Clone(), nil
}

func (s *Server) alter(name string, change func(*storage.Bucket) *osserr.Error) *osserr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, aerr := s.bucketLocked(name)
	if aerr != nil {
		return aerr
	}
	changed := b.Clone()
	if aerr := change(changed); aerr != nil {
		return aerr
	}
	if err := s.disk.SaveBucket(changed); err != nil {
		return osserr.Internal(err)
	}
	s.buckets[name] = changed
	return nil
}

// uploadLocked returns an upload, and the EC says which operation misses it.
// The caller holds s.mu.
func (s *Server) uploadLocked(bucketName, key, uploadID, ec string) (*storage.Bucket, *storage.Upload, *osserr.Error) {
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return nil, nil, aerr
	}
	// An upload ID is only good for the object that it was made for.
	u := b.Uploads[uploadID]
	if u == nil || u.Key != key {
		return nil, nil, osserr.NoSuchUpload(ec, uploadID)
	}
	return b, u, nil
}

// mayWrite says, before a body is sent, whether an object may be written. It
// returns the attributes as they are in the bucket.
func (s *Server) mayWrite(req *request, a storage.Attributes, ec string) (storage.Attributes, *osserr.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, aerr := s.bucketLocked(req.bucket)
	if aerr != nil {
		return a, aerr
	}
	if b.OverwriteForbidden(req.key, forbidsOverwrite(req.Header)) {
		return a, osserr.FileAlreadyExists(ec)
	}
	return a.InBucket(b), nil
}

// store puts an object into its bucket. On an error the object's content is
// gone.
func (s *Server) store(bucketName string, o *storage.Object, forbid bool, ec string) *osserr.Error {
	s.mu.Lock()
	replaced, aerr := s.storeLocked(bucketName, o, forbid, ec)
	s.mu.Unlock()
	if aerr != nil {
		o.Content.Release()
	}
	if replaced != nil {
		replaced.Content.Release()
	}
	return aerr
}

// storeLocked puts an object into its bucket and returns the version that it
// replaced, if any. The caller holds s.mu.
func (s *Server) storeLocked(bucketName string, o *storage.Object, forbid bool, ec string) (replaced *storage.Object, aerr *osserr.Error) {
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return nil, aerr
	}
	if b.OverwriteForbidden(o.Key, forbid) {
		return nil, osserr.FileAlreadyExists(ec)
	}
	s.lastSeq++
	o.Seq = s.lastSeq
	o.Version = storage.NullVersion
	if b.Versioning == storage.VersioningEnabled {
		o.Version = storage.NewVersionID()
	}
	if err := s.disk.SaveObject(b, o); err != nil {
		return nil, osserr.Internal(err)
	}
	return b.Put(o), nil
}
