package osstest

import (
	"encoding/xml"
	"net/http"
	"strconv"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type listPartsResult struct {
	XMLName              xml.Name `xml:"ListPartsResult"`
	EncodingType         string   `xml:",omitempty"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Parts                []partResult `xml:"Part"`
}

type partResult struct {
	PartNumber    int
	LastModified  string
	ETag          string
	HashCrc64ecma string
	Size          int64
}

func (s *Server) listParts(w http.ResponseWriter, req *request) *osserr.Error {
	encode, aerr := encodingOf(req)
	if aerr != nil {
		return aerr
	}
	limit, aerr := limitOf(req, "max-parts", 1000)
	if aerr != nil {
		return aerr
	}
	marker, aerr := numberOf(req, "part-number-marker", 0, 0, storage.MaxParts)
	if aerr != nil {
		return aerr
	}
	u, parts, aerr := s.partsAfter(req, marker)
	if aerr != nil {
		return aerr
	}
	result := listPartsResult{
		EncodingType: encode.name, Bucket: req.bucket, Key: encode.text(req.key), UploadID: req.uploadID,
		StorageClass: u.StorageClass, PartNumberMarker: marker, MaxParts: limit, IsTruncated: len(parts) > limit,
	}
	for _, p := range parts[:min(limit, len(parts))] {
		result.NextPartNumberMarker = p.Number
		result.Parts = append(result.Parts, partResult{
			PartNumber: p.Number, LastModified: xmlTime(p.Modified), ETag: s.opts.ETags.part(p.ETag),
			HashCrc64ecma: strconv.FormatUint(p.CRC64, 10), Size: p.Size,
		})
	}
	s.writeXML(w, req, result)
	return nil
}

// partsAfter returns an upload and its parts with greater numbers.
func (s *Server) partsAfter(req *request, marker int) (*storage.Upload, []*storage.Part, *osserr.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, u, aerr := s.uploadLocked(req.bucket, req.key, req.uploadID, osserr.ECListParts)
	if aerr != nil {
		return nil, nil, aerr
	}
	parts := u.Sorted()
	for len(parts) > 0 && parts[0].Number <= marker {
		parts = parts[1:]
	}
	return u, parts, nil
}
