package osstest

import (
	"crypto/md5"
	"encoding"
	"hash"
	"net/http"
	"strconv"
)

func (s *Server) uploadPart(w http.ResponseWriter, req *request) *apiError {
	if aerr := checkPartNumber(req); aerr != nil {
		return aerr
	}
	if aerr := checkTrafficLimit(req); aerr != nil {
		return aerr
	}
	sums, aerr := s.partDigest(req, ecUploadPart)
	if aerr != nil {
		return aerr
	}
	body, aerr := s.receive(req, sums)
	if aerr != nil {
		return aerr
	}
	p, aerr := s.addPart(req, body, ecUploadPart)
	if aerr != nil {
		return aerr
	}
	h := w.Header()
	h.Set("Etag", quoted(p.ETag))
	h.Set("Content-Md5", sums.contentMD5())
	h.Set("X-Oss-Hash-Crc64ecma", strconv.FormatUint(p.CRC64, 10))
	s.writeEmpty(w, req, http.StatusOK)
	return nil
}

// partDigest returns what the part's bytes are to be hashed into, or an error if
// there is no such upload.
func (s *Server) partDigest(req *request, ec string) (*digest, *apiError) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, ec)
	if aerr != nil {
		return nil, aerr
	}
	d := newDigest()
	if u.Sequential {
		d.chain = u.chainBefore(req.partNumber)
	}
	return d, nil
}

// addPart adds a part that has arrived to its upload, which may have ended
// meanwhile.
func (s *Server) addPart(req *request, body *received, ec string) (*part, *apiError) {
	p := &part{
		Number: req.partNumber, Size: body.blob.size, ETag: body.sums.etag(), CRC64: body.sums.crc,
		Modified: s.now(), Chain: chainState(body.sums.chain), blob: body.blob,
	}
	s.mu.Lock()
	replaced, aerr := s.addPartLocked(req, p, ec)
	s.mu.Unlock()
	if aerr != nil {
		s.blobs.remove(p.blob)
	} else if replaced != nil {
		s.blobs.remove(replaced.blob)
	}
	return p, aerr
}

func (s *Server) addPartLocked(req *request, p *part, ec string) (replaced *part, aerr *apiError) {
	b, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, ec)
	if aerr != nil {
		return nil, aerr
	}
	if err := s.disk.savePart(b, u, p); err != nil {
		return nil, errInternal(err)
	}
	replaced = u.parts[p.Number]
	u.parts[p.Number] = p
	return replaced, nil
}

// chainBefore returns the MD5 of all parts before a number, or nil if they have
// not all arrived in turn. OSS tells the Content-MD5 of an object whose parts
// came one after the other.
func (u *upload) chainBefore(number int) hash.Hash {
	if number == 1 {
		return md5.New()
	}
	before := u.parts[number-1]
	if before == nil || before.Chain == nil {
		return nil
	}
	return restoredMD5(before.Chain)
}

// restoredMD5 is the inverse of chainState. It returns nil for a state that is
// none.
func restoredMD5(state []byte) hash.Hash {
	h := md5.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return nil
	}
	return h
}

// chainState returns a hash's state, or nil for no hash.
func chainState(h hash.Hash) []byte {
	if h == nil {
		return nil
	}
	state, _ := h.(encoding.BinaryMarshaler).MarshalBinary() // MD5 does not fail
	return state
}
