package osstest

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type listBucketsResult struct {
	XMLName     xml.Name `xml:"ListAllMyBucketsResult"`
	Prefix      string   `xml:",omitempty"`
	Marker      string   `xml:",omitempty"`
	MaxKeys     int      `xml:",omitempty"`
	IsTruncated bool
	NextMarker  string `xml:",omitempty"`
	Owner       ownerResult
	Buckets     []bucketResult `xml:"Buckets>Bucket"`
}

type bucketResult struct {
	CreationDate      string
	ExtranetEndpoint  string
	IntranetEndpoint  string
	Location          string
	Name              string
	Region            string
	StorageClass      string
	Owner             *ownerResult
	AccessControlList *grantResult
	Versioning        string `xml:",omitempty"` // GetBucketInfo
}

type grantResult struct{ Grant string }

func (s *Server) listBuckets(w http.ResponseWriter, req *request) *osserr.Error {
	l, aerr := listingOf(req, "max-keys", 100)
	if aerr != nil {
		return aerr
	}
	l.delimiter = ""
	marker := req.query.Get("marker")
	tags, aerr := tagFilterOf(req.query)
	if aerr != nil {
		return aerr
	}
	p := cut(l, s.bucketsWith(tags), marker, func(e entry[bucketResult]) bool { return e.key > marker })
	result := listBucketsResult{
		Prefix: l.prefix, Marker: marker, IsTruncated: p.truncated, Owner: owner, Buckets: p.items,
	}
	if p.truncated {
		result.MaxKeys, result.NextMarker = l.limit, p.last
	}
	s.writeXML(w, req, result)
	return nil
}

// bucketsWith returns the buckets that have all of some tags.
func (s *Server) bucketsWith(tags tagFilter) []entry[bucketResult] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []entry[bucketResult]
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		if tags.match(s.buckets[name].Tags) {
			all = append(all, entry[bucketResult]{name, s.describe(s.buckets[name])})
		}
	}
	return all
}

// describe returns what both ListBuckets and GetBucketInfo say of a bucket.
func (s *Server) describe(b *storage.Bucket) bucketResult {
	return bucketResult{
		CreationDate: xmlTime(b.Created), Location: "oss-" + s.opts.Region, Name: b.Name,
		ExtranetEndpoint: "oss-" + s.opts.Region + aliyunSuffix,
		IntranetEndpoint: "oss-" + s.opts.Region + "-internal" + aliyunSuffix,
		Region:           s.opts.Region, StorageClass: b.StorageClass,
	}
}
