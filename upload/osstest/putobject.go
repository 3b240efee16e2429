package osstest

import (
	"net/http"
	"strconv"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

const ecPutExists = "0026-00000002"

// readConditions are headers that PutObject refuses.
var readConditions = []string{"If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-None-Match"}

func (s *Server) putObject(w http.ResponseWriter, req *request) *osserr.Error {
	for _, name := range readConditions {
		if req.Header.Get(name) != "" {
			return osserr.NotImplementedHeader(name)
		}
	}
	a, aerr := attributesOf(req.Header)
	if aerr != nil {
		return aerr
	}
	if aerr := checkTrafficLimit(req); aerr != nil {
		return aerr
	}
	cb, aerr := callbackOf(req)
	if aerr != nil {
		return aerr
	}
	a, aerr = s.mayWrite(req, a, ecPutExists)
	if aerr != nil {
		return aerr
	}
	body, aerr := s.receive(req)
	if aerr != nil {
		return aerr
	}
	o := &storage.Object{
		Attributes: a, Key: req.key, Type: "Normal", Modified: s.now(),
		ETag: body.sums.etag(), MD5: body.sums.contentMD5(), CRC64: body.sums.crc, Size: body.blob.Size,
		Content: storage.NewContent(s.blobs, []*storage.Blob{body.blob}),
	}
	if aerr := s.store(req.bucket, o, forbidsOverwrite(req.Header), ecPutExists); aerr != nil {
		return aerr
	}
	s.setStoredHeaders(w, req, o)
	w.Header().Set("Content-Md5", o.MD5)
	if s.opts.OnStored != nil {
		s.opts.OnStored(req.bucket, o.Key, o.Size)
	}
	if cb != nil {
		return s.callback(w, req, cb, o)
	}
	s.writeEmpty(w, req, http.StatusOK)
	return nil
}

// setStoredHeaders sets the headers that describe an object just stored.
func (s *Server) setStoredHeaders(w http.ResponseWriter, req *request, o *storage.Object) {
	h := w.Header()
	h.Set("Etag", s.opts.ETags.etag(o.ETag))
	h.Set("X-Oss-Hash-Crc64ecma", strconv.FormatUint(o.CRC64, 10))
	echoEncryption(w, o.Header)
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.buckets[req.bucket]
	if b == nil {
		return // deleted meanwhile
	}
	if v := b.ShownVersion(o); v != "" {
		h.Set("X-Oss-Version-Id", v)
	}
}
