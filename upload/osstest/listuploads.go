package osstest

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type listUploadsResult struct {
	XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
	EncodingType       string   `xml:",omitempty"`
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string
	NextUploadIDMarker string `xml:"NextUploadIdMarker"`
	Delimiter          string
	Prefix             string
	MaxUploads         int
	IsTruncated        bool
	Uploads            []uploadResult `xml:"Upload"`
	CommonPrefixes     []prefixResult `xml:"CommonPrefixes"`
}

type uploadResult struct {
	Key          string
	UploadID     string `xml:"UploadId"`
	StorageClass string
	Initiated    string
}

func (s *Server) listUploads(w http.ResponseWriter, req *request) *osserr.Error {
	l, aerr := listingOf(req, "max-uploads", 1000)
	if aerr != nil {
		return aerr
	}
	uploads, aerr := s.sortedUploads(req.bucket)
	if aerr != nil {
		return aerr
	}
	keyMarker, idMarker := req.query.Get("key-marker"), req.query.Get("upload-id-marker")
	p := cut(l, uploads, keyMarker, func(e entry[*storage.Upload]) bool {
		if e.key == keyMarker && idMarker != "" {
			return e.item.ID > idMarker
		}
		return e.key > keyMarker
	})
	result := listUploadsResult{
		EncodingType: l.name, Bucket: req.bucket, KeyMarker: l.text(keyMarker), UploadIDMarker: idMarker,
		Delimiter: l.text(l.delimiter), Prefix: l.text(l.prefix), MaxUploads: l.limit, IsTruncated: p.truncated,
		NextKeyMarker: l.text(p.last), CommonPrefixes: l.prefixes(p.prefixes),
	}
	if p.lastItem != nil {
		result.NextUploadIDMarker = (*p.lastItem).ID
	}
	for _, u := range p.items {
		result.Uploads = append(result.Uploads, uploadResult{l.text(u.Key), u.ID, u.StorageClass, xmlTime(u.Initiated)})
	}
	s.writeXML(w, req, result)
	return nil
}

// sortedUploads returns the uploads of a bucket by key, then by upload ID.
func (s *Server) sortedUploads(bucketName string) ([]entry[*storage.Upload], *osserr.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return nil, aerr
	}
	uploads := make([]entry[*storage.Upload], 0, len(b.Uploads))
	for _, u := range b.Uploads {
		uploads = append(uploads, entry[*storage.Upload]{u.Key, u})
	}
	slices.SortFunc(uploads, func(a, b entry[*storage.Upload]) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.item.ID, b.item.ID))
	})
	return uploads, nil
}
