package wire

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

const opListObjects = "ListObjectsV2"

// A Listed is an object as the server lists it: without its CRC64.
type Listed struct {
	Object string
	Size   int64
	ETag   string // without quotation marks
	Type   string // Normal, Multipart, Appendable, Symlink

	LastModified time.Time // zero: the server does not say
}

// ObjectsPage is the outcome of ListObjects: the objects of a prefix between two names.
type ObjectsPage struct {
	Objects []Listed // by name
	More    bool     // there are more after the last one
}

type objectsResult struct {
	XMLName      xml.Name `xml:"ListBucketResult"`
	EncodingType string
	IsTruncated  bool
	Contents     []struct {
		Key          string
		Size         int64
		ETag         string
		Type         string
		LastModified string
	}
}

// ListObjects returns the objects whose names begin with prefix and come after a name, in
// the order of their bytes: one page of at most 1,000 (OSS documentation, ListObjectsV2).
func (b Bucket) ListObjects(ctx context.Context, s Snapshot, prefix, after string) (ObjectsPage, error) {
	r := &request{op: opListObjects, method: http.MethodGet, params: map[string]any{
		"list-type":     "2",
		"max-keys":      strconv.Itoa(maxPage),
		"encoding-type": "url",
	}}
	for name, value := range map[string]string{"prefix": prefix, "start-after": after} {
		if value != "" {
			r.params[name] = value
		}
	}
	var x objectsResult
	var page ObjectsPage
	err := b.doXML(ctx, s, r, &x, func(*reply) (err error) {
		page, err = x.page(prefix, after)
		return err
	})
	if err != nil {
		return ObjectsPage{}, err
	}
	return page, nil
}

// page returns what was listed. The error is for a list of other names than were asked
// for, or in another order: it would not say what is missing.
func (x *objectsResult) page(prefix, after string) (ObjectsPage, error) {
	page := ObjectsPage{More: x.IsTruncated, Objects: make([]Listed, 0, len(x.Contents))}
	last := after
	for _, c := range x.Contents {
		key := c.Key
		if x.EncodingType == "url" {
			var err error
			if key, err = url.QueryUnescape(key); err != nil {
				return page, fmt.Errorf("name of an object: %w", err)
			}
		}
		if key <= last || !strings.HasPrefix(key, prefix) || c.Size < 0 {
			return page, fmt.Errorf("object %q of %d bytes comes after %q in a list of the prefix %q",
				target.Clip(key), c.Size, target.Clip(last), target.Clip(prefix))
		}
		last = key
		one := Listed{Object: key, Size: c.Size, ETag: bareETag(c.ETag), Type: strings.TrimSpace(c.Type)}
		one.LastModified, _ = time.Parse(time.RFC3339, strings.TrimSpace(c.LastModified))
		page.Objects = append(page.Objects, one)
	}
	if page.More && len(page.Objects) == 0 {
		return page, errors.New("a page of no objects is not the last one")
	}
	return page, nil
}
