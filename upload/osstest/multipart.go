package osstest

import (
	"encoding/xml"
	"net/http"
	"strconv"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

const ecCompleteExists = "0042-00000214"

type initiateResult struct {
	XMLName      xml.Name `xml:"InitiateMultipartUploadResult"`
	EncodingType string   `xml:",omitempty"`
	Bucket       string
	Key          string
	UploadID     string `xml:"UploadId"`
}

func (s *Server) initiateUpload(w http.ResponseWriter, req *request) *osserr.Error {
	a, aerr := attributesOf(req.Header)
	if aerr != nil {
		return aerr
	}
	encode, aerr := encodingOf(req)
	if aerr != nil {
		return aerr
	}
	a, aerr = s.mayWrite(req, a, ecInitiateExists)
	if aerr != nil {
		return aerr
	}
	u := &storage.Upload{
		Attributes: a, ID: storage.NewID(16), Key: req.key, Initiated: s.now(),
		Sequential: req.query.Has("sequential"), Parts: map[int]*storage.Part{},
	}
	if aerr := s.addUpload(req.bucket, u); aerr != nil {
		return aerr
	}
	echoEncryption(w, a.Header)
	s.writeXML(w, req, initiateResult{EncodingType: encode.name, Bucket: req.bucket, Key: encode.text(req.key), UploadID: u.ID})
	return nil
}

// ecInitiateExists is empty: no source shows it.
const ecInitiateExists = ""

func (s *Server) addUpload(bucketName string, u *storage.Upload) *osserr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return aerr
	}
	if err := s.disk.SaveUpload(b, u); err != nil {
		return osserr.Internal(err)
	}
	b.Uploads[u.ID] = u
	return nil
}

func (s *Server) abortUpload(w http.ResponseWriter, req *request) *osserr.Error {
	u, aerr := s.takeUpload(req.bucket, req.key, req.uploadID)
	if aerr != nil {
		return aerr
	}
	s.dropParts(u)
	s.writeEmpty(w, req, http.StatusNoContent)
	return nil
}

// takeUpload takes an upload out of its bucket.
func (s *Server) takeUpload(bucketName, key, uploadID string) (*storage.Upload, *osserr.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, u, aerr := s.uploadLocked(bucketName, key, uploadID, osserr.ECAbort)
	if aerr != nil {
		return nil, aerr
	}
	if err := s.disk.RemoveUpload(b, u); err != nil {
		return nil, osserr.Internal(err)
	}
	delete(b.Uploads, u.ID)
	return u, nil
}

// dropParts removes the bytes of an upload that was taken out of its bucket.
func (s *Server) dropParts(u *storage.Upload) {
	for _, p := range u.Parts {
		s.blobs.Remove(p.Blob)
	}
}

// checkPartNumber refuses a part number that is not one.
func checkPartNumber(req *request) *osserr.Error {
	switch {
	case !req.query.Has("partNumber"):
		return osserr.MissingPartNumber()
	case !req.query.Has("uploadId"):
		return osserr.InvalidArgument("0017-00000219", "Unexpected query string parameter", "ResourceType", "uploadId")
	case req.partNumber < 1 || req.partNumber > storage.MaxParts || strconv.Itoa(req.partNumber) != req.query.Get("partNumber"):
		return osserr.InvalidPartNumber(req.query.Get("partNumber"))
	}
	return nil
}
