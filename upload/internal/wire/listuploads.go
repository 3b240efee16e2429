package wire

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

const opListUploads = "ListMultipartUploads"

// A Bucket is a bucket at one endpoint, to look for unfinished uploads in. Its
// methods may be called from any goroutine, at the same time.
type Bucket struct{ *Object }

// Bucket returns the bucket that t names; t.Object is ignored. It makes no request.
// The error says which part of t is wrong.
func (c *Client) Bucket(t target.Target) (Bucket, error) {
	t.Object = "any"
	if err := t.Validate(); err != nil {
		return Bucket{}, err
	}
	t.Object = ""
	return Bucket{&Object{client: c, target: t, clock: c.clock(t.Endpoint.Host)}}, nil
}

// An Unfinished is a multipart upload that was neither completed nor aborted.
type Unfinished struct {
	Object    string
	UploadID  string
	Initiated time.Time // by the server's clock; zero if it does not say
}

// An UploadMarker is a place in the list of unfinished uploads. The zero value is its
// beginning.
type UploadMarker struct{ Object, UploadID string }

// UploadsPage is the outcome of ListUploads.
type UploadsPage struct {
	Uploads    []Unfinished
	Next       UploadMarker // where the next page begins
	More       bool         // there is one
	ServerTime time.Time    // by the server's clock; zero if it does not say
}

type uploadsResult struct {
	XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
	EncodingType       string
	IsTruncated        bool
	NextKeyMarker      string
	NextUploadIDMarker string `xml:"NextUploadIdMarker"`
	Upload             []struct {
		Key       string
		UploadID  string `xml:"UploadId"`
		Initiated string
	}
}

// ListUploads returns the unfinished uploads of objects whose names begin with
// prefix, by name and then by upload ID: one page of at most 1,000, from a marker on
// (OSS documentation, ListMultipartUploads).
func (b Bucket) ListUploads(ctx context.Context, s Snapshot, prefix string, from UploadMarker) (UploadsPage, error) {
	r := &request{op: opListUploads, method: http.MethodGet, params: map[string]any{
		"uploads":       nil,
		"max-uploads":   strconv.Itoa(maxPage),
		"encoding-type": "url",
	}}
	for name, value := range map[string]string{
		"prefix": prefix, "key-marker": from.Object, "upload-id-marker": from.UploadID,
	} {
		if value != "" {
			r.params[name] = value
		}
	}
	var x uploadsResult
	var page UploadsPage
	err := b.doXML(ctx, s, r, &x, func(rep *reply) error {
		page.ServerTime = b.clock.plausible(rep.serverTime())
		return x.fill(&page, prefix, from)
	})
	if err != nil {
		return UploadsPage{}, err
	}
	return page, nil
}

// fill adds what was listed to page. The error is for a list that does not continue
// after from, which could be followed forever, and for one of other names than were
// asked for.
func (x *uploadsResult) fill(page *UploadsPage, prefix string, from UploadMarker) error {
	last := from.Object
	decode := func(name string) (string, error) { return name, nil }
	if x.EncodingType == "url" {
		decode = url.QueryUnescape
	}
	for _, u := range x.Upload {
		key, err := decode(u.Key)
		if err != nil {
			return fmt.Errorf("name of an object: %w", err)
		}
		if key == "" {
			return fmt.Errorf("an upload of no object")
		}
		id := strings.TrimSpace(u.UploadID)
		if err := target.CheckUploadID(id); err != nil {
			return fmt.Errorf("an upload of %s: %w", target.ClipLine(key, maxText), err)
		}
		if !strings.HasPrefix(key, prefix) {
			return fmt.Errorf("an upload of %q is not of the prefix %q", target.Clip(key), target.Clip(prefix))
		}
		last = max(last, key)
		at, _ := time.Parse(time.RFC3339, strings.TrimSpace(u.Initiated))
		page.Uploads = append(page.Uploads, Unfinished{Object: key, UploadID: id, Initiated: at})
	}
	next, err := decode(x.NextKeyMarker)
	if err != nil {
		return fmt.Errorf("marker of the next page: %w", err)
	}
	page.More, page.Next = x.IsTruncated, UploadMarker{next, x.NextUploadIDMarker}
	after := cmp.Or(cmp.Compare(next, from.Object), cmp.Compare(x.NextUploadIDMarker, from.UploadID))
	if page.More && (len(x.Upload) == 0 || after <= 0 || next < last) {
		return fmt.Errorf("a page of %d uploads after %q, the last of %q, continues after %q",
			len(x.Upload), target.Clip(from.Object), target.Clip(last), target.Clip(next))
	}
	return nil
}
