package osstest

import (
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// A listedPart is a part as CompleteMultipartUpload lists it.
type listedPart struct {
	PartNumber int
	ETag       string
}

// A completeRequest is the list of parts that an object is to be made of.
type completeRequest struct {
	XMLName xml.Name     `xml:"CompleteMultipartUpload"`
	Parts   []listedPart `xml:"Part"`
	all     bool         // all that there are, in place of a list
}

type completeResult struct {
	XMLName      xml.Name `xml:"CompleteMultipartUploadResult"`
	EncodingType string   `xml:",omitempty"`
	Location     string
	Bucket       string
	Key          string
	ETag         string
}

func (s *Server) completeUpload(w http.ResponseWriter, req *request) *osserr.Error {
	listed, aerr := listedParts(req)
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
	o, aerr := s.complete(req, listed, a)
	if aerr != nil {
		return aerr
	}
	s.setStoredHeaders(w, req, o)
	if s.opts.OnStored != nil {
		s.opts.OnStored(req.bucket, o.Key, o.Size)
	}
	if cb != nil {
		return s.callback(w, req, cb, o)
	}
	s.writeXML(w, req, completeResult{
		EncodingType: encode.name, Location: s.location(req),
		Bucket: req.bucket, Key: encode.text(req.key), ETag: s.opts.ETags.etag(o.ETag),
	})
	return nil
}

// listedParts reads the list of parts in a request's body. An empty list is good,
// and makes an empty object; no list is not, unless the header x-oss-complete-all
// stands for it.
func listedParts(req *request) (list completeRequest, aerr *osserr.Error) {
	body, aerr := readXMLBody(req)
	if aerr != nil {
		return list, aerr
	}
	switch v := req.Header.Get("X-Oss-Complete-All"); {
	case v == "yes" && len(body) > 0:
		return list, osserr.CompleteAllWithBody()
	case v == "yes":
		list.all = true
		return list, nil
	case v != "":
		return list, osserr.InvalidArgument("", "The value of x-oss-complete-all is not valid.", "x-oss-complete-all", v)
	}
	if err := xml.Unmarshal(body, &list); err != nil || len(list.Parts) > storage.MaxParts {
		return list, osserr.MalformedXML(ecCompleteXML)
	}
	return list, nil
}

const ecCompleteXML = "0042-00000205"

// complete makes an object of an upload. An upload that is refused stays as it
// is.
func (s *Server) complete(req *request, listed completeRequest, a storage.Attributes) (*storage.Object, *osserr.Error) {
	sum, aerr := s.sequentialMD5(req, listed)
	if aerr != nil {
		return nil, aerr
	}
	s.mu.Lock()
	o, replaced, unused, aerr := s.completeLocked(req, listed, a, sum)
	s.mu.Unlock()
	if aerr != nil {
		return nil, aerr
	}
	for _, p := range unused {
		s.blobs.Remove(p.Blob)
	}
	if replaced != nil {
		replaced.Content.Release()
	}
	return o, nil
}

func (s *Server) completeLocked(req *request, listed completeRequest, a storage.Attributes, sum string) (o, replaced *storage.Object, unused []*storage.Part, aerr *osserr.Error) {
	b, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, osserr.ECComplete)
	if aerr != nil {
		return nil, nil, nil, aerr
	}
	parts, aerr := choose(u, listed, s.opts.ETags)
	if aerr != nil {
		return nil, nil, nil, aerr
	}
	o = completed(u, parts, s.blobs)
	o.Modified, o.MD5 = s.now(), sum
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
	delete(b.Uploads, u.ID)
	// The object counts: where the upload's files stay, the next start removes
	// them.
	s.disk.RemoveUpload(b, u)
	for _, p := range parts {
		delete(u.Parts, p.Number)
	}
	return o, replaced, u.Sorted(), nil
}

// choose returns the parts that an object is to be made of, or the error that
// OSS has for the list.
func choose(u *storage.Upload, request completeRequest, form ETagForm) ([]*storage.Part, *osserr.Error) {
	listed := request.Parts
	if request.all {
		for _, p := range u.Sorted() {
			listed = append(listed, listedPart{p.Number, form.part(p.ETag)})
		}
	}
	for i, l := range listed {
		switch {
		case i > 0 && l.PartNumber <= listed[i-1].PartNumber:
			return nil, osserr.InvalidPartOrder()
		case u.Sequential && l.PartNumber != i+1:
			return nil, osserr.PartNotSequential(l.PartNumber)
		}
	}
	parts := make([]*storage.Part, len(listed))
	for i, l := range listed {
		p := u.Parts[l.PartNumber]
		if p == nil || !form.samePart(l.ETag, p.ETag) {
			return nil, osserr.InvalidPart(l.ETag, l.PartNumber, u.ID)
		}
		parts[i] = p
	}
	for _, p := range parts[:max(len(parts)-1, 0)] {
		if p.Size < minPartSize {
			return nil, osserr.EntityTooSmall(p.Number, p.Size, p.ETag)
		}
	}
	return parts, nil
}

// completed returns the object that the parts make.
func completed(u *storage.Upload, parts []*storage.Part, store *storage.BlobStore) *storage.Object {
	etags, blobs := make([]string, len(parts)), make([]*storage.Blob, len(parts))
	for i, p := range parts {
		etags[i], blobs[i] = p.ETag, p.Blob
	}
	c := storage.NewContent(store, blobs)
	return &storage.Object{
		Attributes: u.Attributes, Key: u.Key, Type: "Multipart", UploadID: u.ID,
		ETag: partsETag(etags), CRC64: partsCRC(parts), Size: c.Size(), Content: c,
	}
}

// sequentialMD5 returns the Content-MD5 that OSS has for an object of a sequential
// upload, in base64, or "" for other uploads. The parts of such an upload do not
// change, so that they can be read before the upload is locked.
func (s *Server) sequentialMD5(req *request, listed completeRequest) (string, *osserr.Error) {
	s.mu.RLock()
	_, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, osserr.ECComplete)
	var parts []*storage.Part
	if aerr == nil && u.Sequential {
		parts, aerr = choose(u, listed, s.opts.ETags)
	}
	s.mu.RUnlock()
	if aerr != nil || len(parts) == 0 {
		return "", aerr
	}
	h := md5.New()
	for _, p := range parts {
		r, err := s.blobs.Open(p.Blob, 0)
		if err == nil {
			_, err = io.Copy(h, r)
			err = errors.Join(err, r.Close())
		}
		if err != nil {
			// The upload may have ended meanwhile, and its parts with it.
			s.mu.RLock()
			defer s.mu.RUnlock()
			_, _, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, osserr.ECComplete)
			return "", cmp.Or(aerr, osserr.Internal(err))
		}
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil)), nil
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
