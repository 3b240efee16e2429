package osstest

import (
	"encoding/xml"
	"net/http"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type createBucketConfiguration struct {
	XMLName      xml.Name `xml:"CreateBucketConfiguration"`
	StorageClass string
}

func (s *Server) putBucket(w http.ResponseWriter, req *request) *osserr.Error {
	if aerr := oneOf(req.Header, "X-Oss-Acl", storage.BucketACLs...); aerr != nil {
		return aerr
	}
	class, aerr := wantedClass(req)
	if aerr != nil {
		return aerr
	}
	if aerr := s.changeBucket(req, class); aerr != nil {
		return aerr
	}
	w.Header().Set("Location", "/"+req.bucket)
	s.writeEmpty(w, req, http.StatusOK)
	return nil
}

// changeBucket creates a bucket, or changes the ACL of one that exists.
func (s *Server) changeBucket(req *request, class string) *osserr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := storage.NewBucket(req.bucket, s.now())
	b.CORS = corsOf(s.opts.CORS)
	if old := s.buckets[req.bucket]; old != nil {
		b = old.Clone()
	} else if class != "" {
		b.StorageClass = class
	}
	if acl := req.Header.Get("X-Oss-Acl"); acl != "" {
		b.ACL = acl
	}
	if err := s.disk.SaveBucket(b); err != nil {
		return osserr.Internal(err)
	}
	s.buckets[b.Name] = b
	return nil
}

// wantedClass returns the storage class in the body of PutBucket, if there is
// one.
func wantedClass(req *request) (string, *osserr.Error) {
	body, aerr := readXMLBody(req)
	if aerr != nil || len(body) == 0 {
		return "", aerr
	}
	var conf createBucketConfiguration
	if err := xml.Unmarshal(body, &conf); err != nil {
		return "", osserr.MalformedXML("")
	}
	h := http.Header{}
	h.Set("StorageClass", conf.StorageClass)
	return conf.StorageClass, oneOf(h, "StorageClass", storage.StorageClasses...)
}

func (s *Server) deleteBucket(w http.ResponseWriter, req *request) *osserr.Error {
	if aerr := s.removeBucket(req.bucket); aerr != nil {
		return aerr
	}
	s.writeEmpty(w, req, http.StatusNoContent)
	return nil
}

func (s *Server) removeBucket(name string) *osserr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, aerr := s.bucketLocked(name)
	switch {
	case aerr != nil:
		return aerr
	case len(b.Objects) > 0:
		return osserr.BucketNotEmpty(name, "objects")
	case len(b.Uploads) > 0:
		return osserr.BucketNotEmpty(name, "multipart uploads")
	}
	if err := s.disk.RemoveBucket(b); err != nil {
		return osserr.Internal(err)
	}
	delete(s.buckets, name)
	return nil
}

// alterBucket changes a bucket that exists, and answers the request. Nothing
// changes if change returns an error. It is called with s.mu held, so that what
// it finds in the bucket is what it changes.
func (s *Server) alterBucket(w http.ResponseWriter, req *request, change func(*storage.Bucket) *osserr.Error) *osserr.Error {
	if aerr := s.alter(req.bucket, change); aerr != nil {
		return aerr
	}
	s.writeEmpty(w, req, http.StatusOK)
	return nil
}
