package osstest

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

func (s *Server) uploadPart(w http.ResponseWriter, req *request) *osserr.Error {
	if aerr := s.mayAddPart(req, osserr.ECUploadPart); aerr != nil {
		return aerr
	}
	body, aerr := s.receive(req)
	if aerr != nil {
		return aerr
	}
	p, aerr := s.addPart(req, body, osserr.ECUploadPart)
	if aerr != nil {
		return aerr
	}
	h := w.Header()
	h.Set("Etag", s.opts.ETags.part(p.ETag))
	h.Set("Content-Md5", body.sums.contentMD5())
	h.Set("X-Oss-Hash-Crc64ecma", strconv.FormatUint(p.CRC64, 10))
	s.writeEmpty(w, req, http.StatusOK)
	return nil
}

// mayAddPart says, before a body is sent, whether the part may be uploaded.
func (s *Server) mayAddPart(req *request, ec string) *osserr.Error {
	if aerr := cmp.Or(checkPartNumber(req), checkTrafficLimit(req)); aerr != nil {
		return aerr
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, ec)
	if aerr != nil {
		return aerr
	}
	return checkTurn(u, req.partNumber)
}

// checkTurn returns the error that OSS answers to a part of a sequential upload
// that is there already, or that is not the next one.
func checkTurn(u *storage.Upload, number int) *osserr.Error {
	switch {
	case !u.Sequential:
		return nil
	case u.Parts[number] != nil:
		return osserr.PartAlreadyExists(number, quoted(u.Parts[number].ETag))
	case number != len(u.Parts)+1:
		return osserr.PartNotSequential(number)
	}
	return nil
}

// addPart adds a part that has arrived to its upload, which may have ended
// meanwhile.
func (s *Server) addPart(req *request, body *received, ec string) (*storage.Part, *osserr.Error) {
	p := &storage.Part{
		Number: req.partNumber, Size: body.blob.Size, ETag: body.sums.etag(), CRC64: body.sums.crc,
		Modified: s.now(), Blob: body.blob,
	}
	s.mu.Lock()
	replaced, aerr := s.addPartLocked(req, p, ec)
	s.mu.Unlock()
	if aerr != nil {
		s.blobs.Remove(p.Blob)
	} else if replaced != nil {
		s.blobs.Remove(replaced.Blob)
	}
	return p, aerr
}

func (s *Server) addPartLocked(req *request, p *storage.Part, ec string) (replaced *storage.Part, aerr *osserr.Error) {
	b, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, ec)
	if aerr != nil {
		return nil, aerr
	}
	if aerr := checkTurn(u, p.Number); aerr != nil {
		return nil, aerr
	}
	if err := s.disk.SavePart(b, u, p); err != nil {
		return nil, osserr.Internal(err)
	}
	replaced = u.Parts[p.Number]
	u.Parts[p.Number] = p
	return replaced, nil
}
