package wire

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestListObjects(t *testing.T) {
	var path, query string
	b := newBucket(t, func(w http.ResponseWriter, r *http.Request) {
		path, query = r.URL.Path, r.URL.Query().Encode()
		says(`<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><KeyCount>2</KeyCount>
  <Contents><Key>in%2Fa%20b</Key><ETag>"5B3C"</ETag><Type>Normal</Type><Size>344606</Size><LastModified>2026-10-20T07:28:00.000Z</LastModified></Contents>
  <Contents><Key>in%2F%C3%BC</Key><ETag>"5B3C-2"</ETag><Type>Multipart</Type><Size>0</Size></Contents>
</ListBucketResult>`)(w, r)
	})
	page, err := b.ListObjects(t.Context(), testKey, "in/", "in/a")
	want := ObjectsPage{[]Listed{
		{"in/a b", 344606, "5B3C", "Normal", time.Date(2026, 10, 20, 7, 28, 0, 0, time.UTC)},
		{"in/ü", 0, "5B3C-2", "Multipart", time.Time{}},
	}, true}
	if err != nil || fmt.Sprint(page) != fmt.Sprint(want) {
		t.Errorf("got %v, %v; want %v", page, err, want)
	}
	wantQuery := "encoding-type=url&list-type=2&max-keys=1000&prefix=in%2F&start-after=in%2Fa"
	if path != "/media/" || query != wantQuery {
		t.Errorf("asked %s?%s, want /media/?%s", path, query, wantQuery)
	}
	t.Run("without an encoding, of a bucket's beginning", func(t *testing.T) {
		b := newBucket(t, func(w http.ResponseWriter, r *http.Request) {
			query = r.URL.Query().Encode()
			says(`<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a%20b</Key></Contents></ListBucketResult>`)(w, r)
		})
		page, err := b.ListObjects(t.Context(), testKey, "", "")
		if err != nil || page.More || len(page.Objects) != 1 || page.Objects[0].Object != "a%20b" {
			t.Errorf("got %v, %v", page, err)
		}
		if want := "encoding-type=url&list-type=2&max-keys=1000"; query != want {
			t.Errorf("asked %s, want %s", query, want)
		}
	})
}

func TestListObjectsRefuses(t *testing.T) {
	const list = `<ListBucketResult><IsTruncated>%t</IsTruncated>%s</ListBucketResult>`
	const object = `<Contents><Key>%s</Key><Size>%d</Size></Contents>`
	for _, tt := range []struct{ name, answer string }{
		{"what is no list", `<html></html>`},
		{"an empty answer", ``},
		{"an object of another prefix", fmt.Sprintf(list, false, fmt.Sprintf(object, "other", 1))},
		{"an object that does not come after the name", fmt.Sprintf(list, false, fmt.Sprintf(object, "in/a", 1))},
		{"objects out of order", fmt.Sprintf(list, false, fmt.Sprintf(object+object, "in/c", 1, "in/b", 1))},
		{"an object twice", fmt.Sprintf(list, false, fmt.Sprintf(object+object, "in/b", 1, "in/b", 1))},
		{"a size below zero", fmt.Sprintf(list, false, fmt.Sprintf(object, "in/b", -1))},
		{"a name that cannot be decoded", fmt.Sprintf(list, false, `<EncodingType>url</EncodingType>`+fmt.Sprintf(object, "in/%zz", 1))},
		{"a page of nothing that continues", fmt.Sprintf(list, true, "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newBucket(t, says(tt.answer)).ListObjects(t.Context(), testKey, "in/", "in/a")
			if e := wantError(t, err, Retry); e.Op != "ListObjectsV2" || e.Bucket != "media" {
				t.Errorf("got %+v, want the operation and the bucket", e)
			}
		})
	}
}
