package osstest

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type listVersionsResult struct {
	XMLName             xml.Name `xml:"ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	MaxKeys             int
	Delimiter           string
	EncodingType        string `xml:",omitempty"`
	IsTruncated         bool
	NextKeyMarker       string          `xml:",omitempty"`
	NextVersionIDMarker string          `xml:"NextVersionIdMarker,omitempty"`
	Versions            []versionResult // in their order, markers among them
	CommonPrefixes      []prefixResult  `xml:"CommonPrefixes"`
}

// A versionResult is a Version or a DeleteMarker element.
type versionResult struct {
	XMLName      xml.Name
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string `xml:",omitempty"`
	Type         string `xml:",omitempty"`
	Size         *int64
	StorageClass string `xml:",omitempty"`
	Owner        ownerResult
}

// A listedVersion is a version and whether it is the newest one.
type listedVersion struct {
	*storage.Object
	latest bool
	passed bool // it stands before or at the marker
}

func (s *Server) listObjectVersions(w http.ResponseWriter, req *request) *osserr.Error {
	l, aerr := listingOf(req, "max-keys", 100)
	if aerr != nil {
		return aerr
	}
	keyMarker, idMarker := req.query.Get("key-marker"), req.query.Get("version-id-marker")
	if idMarker != "" && keyMarker == "" {
		return osserr.InvalidArgument("", "A version-id marker cannot be specified without a key marker.", "version-id-marker", idMarker)
	}
	versions, aerr := s.allVersions(req.bucket, keyMarker, idMarker)
	if aerr != nil {
		return aerr
	}
	p := cut(l, versions, keyMarker, func(e entry[listedVersion]) bool { return !e.item.passed })
	result := listVersionsResult{
		Name: req.bucket, Prefix: l.text(l.prefix), KeyMarker: l.text(keyMarker), VersionIDMarker: idMarker,
		MaxKeys: l.limit, Delimiter: l.text(l.delimiter), EncodingType: l.name, IsTruncated: p.truncated,
		CommonPrefixes: l.prefixes(p.prefixes),
	}
	if p.truncated {
		result.NextKeyMarker = l.text(p.last)
		if p.lastItem != nil {
			result.NextVersionIDMarker = p.lastItem.Version
		}
	}
	for _, v := range p.items {
		result.Versions = append(result.Versions, v.result(l.textEncoding))
	}
	s.writeXML(w, req, result)
	return nil
}

// allVersions returns all versions: by key, the newest first.
func (s *Server) allVersions(bucketName, keyMarker, idMarker string) ([]entry[listedVersion], *osserr.Error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return nil, aerr
	}
	var all []entry[listedVersion]
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		// With a version marker, the page begins within the marker's key.
		passed := key < keyMarker || key == keyMarker
		for i, o := range b.Objects[key] {
			all = append(all, entry[listedVersion]{key, listedVersion{o, i == 0, passed}})
			if key == keyMarker && o.Version == idMarker {
				passed = false
			}
		}
	}
	return all, nil
}

func (v listedVersion) result(e textEncoding) versionResult {
	r := versionResult{
		XMLName: xml.Name{Local: "Version"}, Key: e.text(v.Key), VersionID: v.Version, IsLatest: v.latest,
		LastModified: xmlTime(v.Modified), Owner: owner,
	}
	if v.Marker {
		r.XMLName.Local = "DeleteMarker"
		return r
	}
	r.ETag, r.Type, r.Size, r.StorageClass = quoted(v.ETag), v.Type, &v.Size, v.StorageClass
	return r
}
