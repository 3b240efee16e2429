package osstest

import (
	"encoding/xml"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

type copyPartResult struct {
	XMLName      xml.Name `xml:"CopyPartResult"`
	LastModified string
	ETag         string
}

const copyPrefix = "X-Oss-Copy-Source-"

func (s *Server) uploadPartCopy(w http.ResponseWriter, req *request) *osserr.Error {
	if aerr := s.mayAddPart(req, osserr.ECPartCopy); aerr != nil {
		return aerr
	}
	source, aerr := s.copySource(req)
	if aerr != nil {
		return aerr
	}
	defer source.Content.Release()
	body, aerr := s.copyFrom(req, source)
	if aerr != nil {
		return aerr
	}
	p, aerr := s.addPart(req, body, osserr.ECPartCopy)
	if aerr != nil {
		return aerr
	}
	if source.version != "" {
		w.Header().Set("X-Oss-Copy-Source-Version-Id", source.version)
	}
	s.writeXML(w, req, copyPartResult{LastModified: xmlTime(p.Modified.Truncate(time.Second)), ETag: s.opts.ETags.part(p.ETag)})
	return nil
}

// copySource finds the object that a part is to be copied from. Its content
// must be released.
func (s *Server) copySource(req *request) (*found, *osserr.Error) {
	header := req.Header.Get("X-Oss-Copy-Source")
	bucketName, key, version, ok := parseCopySource(header)
	if !ok {
		return nil, osserr.InvalidArgument("", "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.", "x-oss-copy-source", header)
	}
	source, aerr := s.find(bucketName, key, version)
	if aerr != nil {
		return nil, aerr
	}
	if aerr := checkConditions(req.Header, copyPrefix, &source.Object); aerr != nil {
		source.Content.Release()
		return nil, aerr
	}
	return source, nil
}

// copyFrom copies the part's bytes. Blobs have one owner, so that they are
// copied indeed.
func (s *Server) copyFrom(req *request, source *found) (*received, *osserr.Error) {
	sp, _, aerr := spanOf(req.Header.Get(copyPrefix+"Range"), source.Size, false)
	if aerr != nil {
		return nil, aerr
	}
	if sp.length > maxPartSize {
		return nil, osserr.EntityTooLarge(sp.length)
	}
	r, err := source.Content.Open(sp.offset, sp.length)
	if err != nil {
		return nil, osserr.Internal(err)
	}
	defer r.Close()
	sums := newDigest()
	b, err := s.blobs.Receive(limitTraffic(req, r), sp.length, sums)
	if err != nil {
		return nil, osserr.Internal(err)
	}
	return &received{blob: b, sums: sums}, nil
}
