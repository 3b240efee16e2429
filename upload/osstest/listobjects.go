package osstest

import (
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type listObjectsResult struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	Prefix                string
	Marker                *string // version 1
	StartAfter            string  `xml:",omitempty"` // version 2, as the next two
	ContinuationToken     string  `xml:",omitempty"`
	KeyCount              *int
	MaxKeys               int
	Delimiter             string
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	NextMarker            string         `xml:",omitempty"`
	NextContinuationToken string         `xml:",omitempty"`
	Contents              []objectResult `xml:"Contents"`
	CommonPrefixes        []prefixResult `xml:"CommonPrefixes"`
}

type objectResult struct {
	Key          string
	LastModified string
	ETag         string
	Type         string
	Size         int64
	StorageClass string
	Owner        *ownerResult
}

// listObjects does ListObjects and ListObjectsV2.
func (s *Server) listObjects(w http.ResponseWriter, req *request) *osserr.Error {
	l, aerr := listingOf(req, "max-keys", 100)
	if aerr != nil {
		return aerr
	}
	v2 := req.query.Get("list-type") == "2"
	marker := req.query.Get("marker")
	if v2 {
		if marker, aerr = startAfter(req); aerr != nil {
			return aerr
		}
	}
	objects, aerr := s.currentObjects(req.bucket)
	if aerr != nil {
		return aerr
	}
	p := cut(l, objects, marker, func(e entry[*storage.Object]) bool { return e.key > marker })
	result := listObjectsResult{
		Name: req.bucket, Prefix: l.text(l.prefix), MaxKeys: l.limit, Delimiter: l.text(l.delimiter),
		EncodingType: l.name, IsTruncated: p.truncated, CommonPrefixes: l.prefixes(p.prefixes),
	}
	result.mark(l, p, req, v2)
	for _, o := range p.items {
		result.Contents = append(result.Contents, l.object(o, !v2 || req.query.Get("fetch-owner") == "true"))
	}
	s.writeXML(w, req, result)
	return nil
}

// mark fills in where the page begins and ends, for which the two versions of the
// operation have different elements.
func (r *listObjectsResult) mark(l listing, p page[*storage.Object], req *request, v2 bool) {
	if !v2 {
		marker := l.text(req.query.Get("marker"))
		r.Marker = &marker
		if p.truncated {
			r.NextMarker = l.text(p.last)
		}
		return
	}
	count := len(p.items) + len(p.prefixes)
	r.KeyCount = &count
	r.StartAfter = l.text(req.query.Get("start-after"))
	r.ContinuationToken = req.query.Get("continuation-token")
	if p.truncated {
		r.NextContinuationToken = base64.StdEncoding.EncodeToString([]byte(p.last))
	}
}

// startAfter returns what a page of ListObjectsV2 begins after: its token, or
// else its first key.
func startAfter(req *request) (string, *osserr.Error) {
	token := req.query.Get("continuation-token")
	if token == "" {
		return req.query.Get("start-after"), nil
	}
	marker, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return "", osserr.InvalidArgument("", "The continuation token provided is incorrect.", "continuation-token", token)
	}
	return string(marker), nil
}

// currentObjects returns the newest versions of all objects that are not
// deleted, sorted.
func (s *Server) currentObjects(bucketName string) ([]entry[*storage.Object], *osserr.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return nil, aerr
	}
	var objects []entry[*storage.Object]
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		if o := b.Current(key); o != nil {
			objects = append(objects, entry[*storage.Object]{key, o})
		}
	}
	return objects, nil
}

func (e textEncoding) object(o *storage.Object, withOwner bool) objectResult {
	r := objectResult{
		Key: e.text(o.Key), LastModified: xmlTime(o.Modified), ETag: quoted(o.ETag),
		Type: o.Type, Size: o.Size, StorageClass: o.StorageClass,
	}
	if withOwner {
		r.Owner = &owner
	}
	return r
}
