package osstest

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
)

// A listedPart is a part as CompleteMultipartUpload lists it.
type listedPart struct {
	PartNumber int
	ETag       string
}

type completeRequest struct {
	XMLName xml.Name     `xml:"CompleteMultipartUpload"`
	Parts   []listedPart `xml:"Part"`
}

type completeResult struct {
	XMLName      xml.Name `xml:"CompleteMultipartUploadResult"`
	EncodingType string   `xml:",omitempty"`
	Location     string
	Bucket       string
	Key          string
	ETag         string
}

func (s *Server) completeUpload(w http.ResponseWriter, req *request) *apiError {
	listed, all, aerr := listedParts(req)
	if aerr != nil {
		return aerr
	}
	encode, aerr := encodingOf(req)
	if aerr != nil {
		return aerr
	}
	a, aerr := attributesOf(req.Header)
	if aerr != nil {
		return aerr
	}
	cb, aerr := callbackOf(req)
	if aerr != nil {
		return aerr
	}
	o, aerr := s.complete(req, listed, all, a)
	if aerr != nil {
		return aerr
	}
	s.tellStored(w, req, o)
	if cb != nil {
		return s.callback(w, req, cb, o)
	}
	s.writeXML(w, req, completeResult{
		EncodingType: encode.name, Location: s.location(req),
		Bucket: req.bucket, Key: encode.text(req.key), ETag: quoted(o.ETag),
	})
	return nil
}

// listedParts reads the list of parts in a request's body. With the header
// x-oss-complete-all the server takes all it has, and there must be no list.
func listedParts(req *request) (parts []listedPart, all bool, aerr *apiError) {
	body, aerr := readXMLBody(req)
	if aerr != nil {
		return nil, false, aerr
	}
	switch v := req.Header.Get("X-Oss-Complete-All"); {
	case v == "yes" && len(body) > 0:
		return nil, false, errCompleteAllWithBody()
	case v == "yes":
		return nil, true, nil
	case v != "":
		return nil, false, errInvalidArgument("", "The value of x-oss-complete-all is not valid.", "x-oss-complete-all", v)
	}
	var list completeRequest
	if err := xml.Unmarshal(body, &list); err != nil || len(list.Parts) == 0 || len(list.Parts) > maxParts {
		return nil, false, errMalformedXML(ecCompleteXML)
	}
	return list.Parts, false, nil
}

const ecCompleteXML = "0042-00000205"

// complete makes an object of an upload. An upload that is refused stays as it
// is.
func (s *Server) complete(req *request, listed []listedPart, all bool, a attributes) (*object, *apiError) {
	s.mu.Lock()
	o, replaced, unused, aerr := s.completeLocked(req, listed, all, a)
	s.mu.Unlock()
	if aerr != nil {
		return nil, aerr
	}
	for _, p := range unused {
		s.blobs.remove(p.blob)
	}
	if replaced != nil {
		replaced.content.release()
	}
	return o, nil
}

func (s *Server) completeLocked(req *request, listed []listedPart, all bool, a attributes) (o, replaced *object, unused []*part, aerr *apiError) {
	b, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, ecComplete)
	if aerr != nil {
		return nil, nil, nil, aerr
	}
	parts, aerr := u.choose(listed, all)
	if aerr != nil {
		return nil, nil, nil, aerr
	}
	o = u.object(parts, &s.blobs)
	o.Modified = s.now()
	if a.ACL != "default" {
		o.ACL = a.ACL
	}
	if v := a.Header.Get("X-Oss-Notification"); v != "" {
		o.Header = o.Header.Clone()
		o.Header.Set("X-Oss-Notification", v)
	}
	replaced, aerr = s.storeLocked(req.bucket, o, forbidsOverwrite(req.Header), ecCompleteExists)
	if aerr != nil {
		return nil, nil, nil, aerr
	}
	delete(b.uploads, u.ID)
	// The object counts: where the upload's files stay, the next start removes
	// them.
	s.disk.removeUpload(b, u)
	for _, p := range parts {
		delete(u.parts, p.Number)
	}
	return o, replaced, u.sorted(), nil
}

// choose returns the parts that an object is to be made of, or the error that
// OSS has for the list.
func (u *upload) choose(listed []listedPart, all bool) ([]*part, *apiError) {
	parts := u.sorted()
	if !all {
		var aerr *apiError
		if parts, aerr = u.listedOnly(listed); aerr != nil {
			return nil, aerr
		}
	}
	if len(parts) == 0 {
		return nil, errMalformedXML(ecCompleteXML)
	}
	for _, p := range parts[:len(parts)-1] {
		if p.Size < minPartSize {
			return nil, errEntityTooSmall(p)
		}
	}
	return parts, nil
}

func (u *upload) listedOnly(listed []listedPart) ([]*part, *apiError) {
	parts := make([]*part, len(listed))
	for i, l := range listed {
		if i > 0 && l.PartNumber <= listed[i-1].PartNumber {
			return nil, errInvalidPartOrder()
		}
	}
	for i, l := range listed {
		p := u.parts[l.PartNumber]
		if p == nil || p.ETag != unquoted(l.ETag) {
			return nil, errInvalidPart(l, u.ID)
		}
		parts[i] = p
	}
	return parts, nil
}

// object returns the object that the parts make.
func (u *upload) object(parts []*part, store *blobStore) *object {
	etags, blobs := make([]string, len(parts)), make([]*blob, len(parts))
	for i, p := range parts {
		etags[i], blobs[i] = p.ETag, p.blob
	}
	c := newContent(store, blobs)
	o := &object{
		attributes: u.attributes, Key: u.Key, Type: "Multipart", UploadID: u.ID,
		ETag: partsETag(etags), CRC64: partsCRC(parts), Size: c.size(), content: c,
	}
	if u.Sequential {
		o.MD5 = chainMD5(parts)
	}
	return o
}

// chainMD5 returns the MD5 of parts that arrived in turn, in base64, or "".
func chainMD5(parts []*part) string {
	last := parts[len(parts)-1]
	if last.Chain == nil || last.Number != len(parts) {
		return ""
	}
	h := restoredMD5(last.Chain)
	if h == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// location returns the address of the object that a request is for.
func (s *Server) location(req *request) string {
	u := url.URL{Scheme: "http", Host: req.Host, Path: "/" + req.key}
	if req.TLS != nil {
		u.Scheme = "https"
	}
	if s.hostBucket(req.Request) == "" {
		u.Path = "/" + req.bucket + "/" + req.key
	}
	return u.String()
}
