package wire

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// newBucket returns the bucket media at a server that answers with h.
func newBucket(t *testing.T, h http.HandlerFunc) Bucket {
	t.Helper()
	o := newObject(t, serve(t, h), nil)
	b, err := o.client.Bucket(o.target)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// says answers with XML.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, text)
	}
}

func TestListUploads(t *testing.T) {
	var path, query string
	b := newBucket(t, func(w http.ResponseWriter, r *http.Request) {
		path, query = r.URL.Path, r.URL.Query().Encode()
		says(`<ListMultipartUploadsResult>
  <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
  <NextKeyMarker>in%2F%C3%BC</NextKeyMarker><NextUploadIdMarker>B</NextUploadIdMarker>
  <Upload><Key>in%2Fa%20b</Key><UploadId>A</UploadId><Initiated>2026-10-20T07:28:00.000Z</Initiated></Upload>
  <Upload><Key>in%2F%C3%BC</Key><UploadId>B</UploadId></Upload>
</ListMultipartUploadsResult>`)(w, r)
	})
	page, err := b.ListUploads(t.Context(), testKey, "in/", UploadMarker{"in/a", "0"})
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(page.ServerTime).Abs(); d > time.Minute {
		t.Errorf("served %v ago, want now", d)
	}
	page.ServerTime = time.Time{}
	want := UploadsPage{
		Uploads: []Unfinished{{"in/a b", "A", time.Date(2026, 10, 20, 7, 28, 0, 0, time.UTC)}, {"in/ü", "B", time.Time{}}},
		Next:    UploadMarker{"in/ü", "B"}, More: true,
	}
	if fmt.Sprint(page) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", page, want)
	}
	wantQuery := "encoding-type=url&key-marker=in%2Fa&max-uploads=1000&prefix=in%2F&upload-id-marker=0&uploads="
	if path != "/media/" || query != wantQuery {
		t.Errorf("asked %s?%s, want /media/?%s", path, query, wantQuery)
	}
}

func TestBucketWithoutAName(t *testing.T) {
	if _, err := NewClient(nil).Bucket(target.Target{}); err == nil {
		t.Error("got a bucket")
	}
}

func TestListUploadsRefuses(t *testing.T) {
	const whole = `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>` +
		`<NextKeyMarker>in/b</NextKeyMarker><NextUploadIdMarker>B</NextUploadIdMarker>%s</ListMultipartUploadsResult>`
	const one = `<Upload><Key>in/a</Key><UploadId>C</UploadId></Upload>`
	from := UploadMarker{"in/a", "A"}
	for _, tt := range []struct{ name, answer string }{
		{"what is no list", `<html></html>`},
		{"an empty answer", ``},
		{"an upload without an ID", fmt.Sprintf(whole, `<Upload><Key>in/b</Key></Upload>`)},
		{"an upload without a name", fmt.Sprintf(whole, `<Upload><UploadId>B</UploadId></Upload>`)},
		{"an ID that is too long", fmt.Sprintf(whole, `<Upload><Key>in/b</Key><UploadId>`+strings.Repeat("B", 2000)+`</UploadId></Upload>`)},
		{"a name that cannot be decoded", strings.Replace(fmt.Sprintf(whole, `<EncodingType>url</EncodingType>`), "in/b", "%zz", 1)},
		{"an upload of another prefix", fmt.Sprintf(whole, `<Upload><Key>other</Key><UploadId>B</UploadId></Upload>`)},
		{"a page that ends where the last did", strings.NewReplacer("in/b", "in/a", "B", "A").Replace(fmt.Sprintf(whole, one))},
		{"a page that goes back", strings.Replace(fmt.Sprintf(whole, one), "in/b", "in/0", 1)},
		{"a page that continues before its end", fmt.Sprintf(whole, `<Upload><Key>in/c</Key><UploadId>C</UploadId></Upload>`)},
		{"a page of nothing that continues", fmt.Sprintf(whole, "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newBucket(t, says(tt.answer)).ListUploads(t.Context(), testKey, "in/", from)
			if e := wantError(t, err, Retry); e.Op != "ListMultipartUploads" || e.Bucket != "media" {
				t.Errorf("got %+v, want the operation and the bucket", e)
			}
		})
	}
}

func TestUploadState(t *testing.T) {
	b := newBucket(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/media/in/a" || r.URL.Query().Get("uploadId") != "ID" {
			t.Errorf("asked for %v", r.URL)
		}
		if r.URL.Query().Get("part-number-marker") == "" {
			says(`<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>
  <Part><PartNumber>1</PartNumber><ETag>A</ETag><Size>5</Size><LastModified>2026-10-20T07:28:00.000Z</LastModified></Part>
  <Part><PartNumber>2</PartNumber><ETag>A</ETag><Size>6</Size><LastModified>2026-10-19T07:28:00.000Z</LastModified></Part></ListPartsResult>`)(w, r)
			return
		}
		says(`<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>3</PartNumber><ETag>A</ETag><Size>7</Size></Part></ListPartsResult>`)(w, r)
	})
	got, err := b.UploadState(t.Context(), testKey, "in/a", "ID")
	want := UploadState{Parts: 3, Bytes: 18, Last: time.Date(2026, 10, 20, 7, 28, 0, 0, time.UTC)}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	t.Run("of what is gone", func(t *testing.T) {
		b := newBucket(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, "NoSuchUpload", "gone") })
		_, err := b.UploadState(t.Context(), testKey, "in/a", "ID")
		wantError(t, err, Restart)
	})
	t.Run("in pages that do not go on", func(t *testing.T) {
		b := newBucket(t, says(`<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>0</NextPartNumberMarker></ListPartsResult>`))
		_, err := b.UploadState(t.Context(), testKey, "in/a", "ID")
		wantError(t, err, Retry)
	})
	t.Run("of no upload", func(t *testing.T) {
		_, err := newBucket(t, says("")).UploadState(t.Context(), testKey, "in/a", "")
		wantError(t, err, Permanent)
	})
}
