package wire

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

const opListUploads = "ListUploads"

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
	Initiated time.Time // by the server's clock; zero if it does not tell
}

// An UploadMarker is a place in the list of unfinished uploads. The zero value is its
// beginning.
type UploadMarker struct{ Object, UploadID string }

// UploadsPage is the outcome of ListUploads.
type UploadsPage struct {
	Uploads []Unfinished
	Next    UploadMarker // where the next page begins
	More    bool         // there is one
	Served  time.Time    // by the server's clock; zero if it does not tell
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
	rep, err := b.do(ctx, s, r)
	if err != nil {
		return UploadsPage{}, err
	}
	var x uploadsResult
	page := UploadsPage{Served: rep.served()}
	if err = rep.decode(&x); err == nil {
		err = x.fill(&page, from)
	}
	if err != nil {
		return UploadsPage{}, b.reject(s, r, &rep.answer, err)
	}
	return page, nil
}

func (x *uploadsResult) fill(page *UploadsPage, from UploadMarker) error {
	decode := func(name string) (string, error) { return name, nil }
	if x.EncodingType == "url" {
		decode = url.QueryUnescape
	}
	for _, u := range x.Upload {
		key, err := decode(u.Key)
		if err != nil {
			return fmt.Errorf("name of an object: %w", err)
		}
		if key == "" || u.UploadID == "" || len(u.UploadID) > maxUploadID {
			return fmt.Errorf("an upload of %q has an ID of %d bytes", target.Clip(key), len(u.UploadID))
		}
		at, _ := time.Parse(time.RFC3339, u.Initiated)
		page.Uploads = append(page.Uploads, Unfinished{Object: key, UploadID: u.UploadID, Initiated: at})
	}
	next, err := decode(x.NextKeyMarker)
	if err != nil {
		return fmt.Errorf("marker of the next page: %w", err)
	}
	page.More, page.Next = x.IsTruncated, UploadMarker{next, x.NextUploadIDMarker}
	// A page that does not go on would make an endless list.
	if page.More && cmp.Or(cmp.Compare(next, from.Object), cmp.Compare(x.NextUploadIDMarker, from.UploadID)) <= 0 {
		return errors.New("a page of uploads does not go on after the one before")
	}
	return nil
}

// An UploadState is what the server has of an unfinished upload.
type UploadState struct {
	Parts int
	Bytes int64
	Last  time.Time // when it got the last part; zero if it has none, or does not tell
}

// UploadState tells what the server has of an upload of the named object: one
// request for each 1,000 parts. An upload that is not there is an error of class
// Restart.
func (b Bucket) UploadState(ctx context.Context, s Snapshot, object, uploadID string) (UploadState, error) {
	target := b.target
	target.Object = object
	o := &Object{client: b.client, target: target, clock: b.clock}
	r := &request{op: opListParts, method: http.MethodGet, uploadID: uploadID}
	var state UploadState
	for marker := 0; ; {
		r.params = map[string]any{"uploadId": uploadID, "max-parts": strconv.Itoa(maxPage)}
		if marker > 0 {
			r.params["part-number-marker"] = strconv.Itoa(marker)
		}
		rep, err := o.do(ctx, s, r)
		if err != nil {
			return UploadState{}, err
		}
		var page datedPage
		if err = rep.decode(&page); err == nil && page.IsTruncated && page.NextPartNumberMarker <= marker {
			err = fmt.Errorf("a page of parts after %d goes on after %d", marker, page.NextPartNumberMarker)
		}
		if err != nil {
			return UploadState{}, o.reject(s, r, &rep.answer, err)
		}
		page.addTo(&state)
		if !page.IsTruncated {
			return state, nil
		}
		marker = page.NextPartNumberMarker
	}
}

// A datedPage is one answer to ListParts, for the times in it.
type datedPage struct {
	XMLName              xml.Name `xml:"ListPartsResult"`
	IsTruncated          bool
	NextPartNumberMarker int
	Part                 []struct {
		Size         int64
		LastModified string
	}
}

func (p *datedPage) addTo(state *UploadState) {
	for _, x := range p.Part {
		state.Parts++
		state.Bytes += x.Size
		if at, err := time.Parse(time.RFC3339, x.LastModified); err == nil && at.After(state.Last) {
			state.Last = at
		}
	}
}
