package osstest

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// Limits of a bucket's tags, in bytes (OSS documentation, PutBucketTags).
const (
	maxBucketTags     = 20
	maxBucketTagKey   = 64
	maxBucketTagValue = 128
)

type taggingRequest struct {
	XMLName xml.Name    `xml:"Tagging"`
	Tags    []bucketTag `xml:"TagSet>Tag"`
}

type bucketTag struct{ Key, Value string }

// putBucketTags adds tags to those that a bucket has, for ListBuckets.
func (s *Server) putBucketTags(w http.ResponseWriter, req *request) *osserr.Error {
	body, aerr := readXMLBody(req)
	if aerr != nil {
		return aerr
	}
	var list taggingRequest
	if err := xml.Unmarshal(body, &list); err != nil || len(list.Tags) == 0 {
		return osserr.MalformedXML("")
	}
	return s.alterBucket(w, req, func(b *storage.Bucket) (aerr *osserr.Error) {
		b.Tags, aerr = withTags(b.Tags, list.Tags)
		return aerr
	})
}

// withTags returns a copy of a bucket's tags to which those of a list are added.
func withTags(old map[string]string, list []bucketTag) (map[string]string, *osserr.Error) {
	tags := maps.Clone(old)
	if tags == nil {
		tags = map[string]string{}
	}
	for _, t := range list {
		if t.Key == "" || len(t.Key) > maxBucketTagKey || len(t.Value) > maxBucketTagValue {
			return nil, osserr.InvalidArgument("", "The tag is not valid.", "Key", osserr.XMLSafe(t.Key))
		}
		tags[t.Key] = t.Value
	}
	if len(tags) > maxBucketTags {
		return nil, osserr.InvalidArgument("", "The number of bucket tags cannot be greater than 20.", "Tagging", "")
	}
	return tags, nil
}

// A tagFilter is the tags that ListBuckets wants a bucket to have. A nil value
// takes any.
type tagFilter map[string]*string

// tagFilterOf reads the filter of ListBuckets: tag-key with or without tag-value,
// or tagging, which is a list such as "k1":"v1","k2":"v2".
func tagFilterOf(query url.Values) (tagFilter, *osserr.Error) {
	key, value, list := query.Get("tag-key"), query.Get("tag-value"), query.Get("tagging")
	switch {
	case key != "" && list != "":
		return nil, osserr.InvalidArgument("", "tagging cannot be used with tag-key and tag-value.", "tagging", list)
	case key == "" && value != "":
		return nil, osserr.InvalidArgument("", "tag-value requires tag-key.", "tag-value", value)
	case key != "" && query.Has("tag-value"):
		return tagFilter{key: &value}, nil
	case key != "":
		return tagFilter{key: nil}, nil
	}
	f := tagFilter{}
	for list != "" {
		pair, rest, _ := strings.Cut(list, `","`)
		key, value, ok := strings.Cut(strings.Trim(pair, `"`), `":"`)
		if !ok || key == "" {
			return nil, osserr.InvalidArgument("", "The tagging is not valid.", "tagging", list)
		}
		f[key], list = &value, rest
	}
	return f, nil
}

func (f tagFilter) match(tags map[string]string) bool {
	for key, want := range f {
		if got, ok := tags[key]; !ok || want != nil && got != *want {
			return false
		}
	}
	return true
}
