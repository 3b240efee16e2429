package osstest

import (
	"encoding/xml"
	"net/http"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// maxCORSBody is how long a CORS configuration may be (OSS documentation, PutBucketCors).
const maxCORSBody = 16 << 10

func (s *Server) putBucketCORS(w http.ResponseWriter, req *request) *osserr.Error {
	body, aerr := readXMLBody(req)
	if aerr != nil {
		return aerr
	}
	if len(body) > maxCORSBody {
		return osserr.MalformedXML("")
	}
	var c storage.CORS
	if err := xml.Unmarshal(body, &c); err != nil {
		return osserr.MalformedXML("")
	}
	c.Trim()
	if aerr := c.Check(); aerr != nil {
		return aerr
	}
	return s.alterBucket(w, req, func(b *storage.Bucket) *osserr.Error {
		b.CORS = &c
		return nil
	})
}

func (s *Server) getBucketCORS(w http.ResponseWriter, req *request) *osserr.Error {
	b, aerr := s.bucketNow(req.bucket)
	switch {
	case aerr != nil:
		return aerr
	case b.CORS == nil:
		return errNoSuchCORS(req.bucket)
	}
	s.writeXML(w, req, b.CORS)
	return nil
}

func errNoSuchCORS(bucket string) *osserr.Error {
	return (&osserr.Error{Status: http.StatusNotFound, Code: "NoSuchCORSConfiguration", EC: "0034-00000001",
		Message: "The CORS Configuration does not exist."}).
		With("BucketName", bucket)
}

// deleteBucketCORS succeeds as well where there are no rules.
func (s *Server) deleteBucketCORS(w http.ResponseWriter, req *request) *osserr.Error {
	aerr := s.alter(req.bucket, func(b *storage.Bucket) *osserr.Error {
		b.CORS = nil
		return nil
	})
	if aerr != nil {
		return aerr
	}
	s.writeEmpty(w, req, http.StatusNoContent)
	return nil
}
