package osstest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestListMultipartUploadsInPages(t *testing.T) {
	s, c := newTestServer(t, nil)
	keys := []string{"a", "a", "a", "b/1", "b/2", "b/2", "c", "d/x/1", "d/y", "e"}
	for _, key := range keys {
		c.initiate("/media/" + key)
	}
	var want []string // key and upload ID, in order
	for _, u := range s.Uploads("media") {
		want = append(want, u.Key+" "+u.UploadID)
	}
	if !slices.IsSorted(want) || len(want) != len(keys) {
		t.Fatalf("Uploads: got %q; want all of them, sorted", want)
	}
	for limit := 1; limit <= len(keys)+1; limit++ {
		t.Run(fmt.Sprintf("of %d", limit), func(t *testing.T) {
			var got []string
			query := url.Values{"uploads": {""}, "max-uploads": {fmt.Sprint(limit)}}
			for range 2 * len(keys) {
				var page listUploadsResult
				c.read(c.good("GET", "/media?"+query.Encode(), ""), &page)
				for _, u := range page.Uploads {
					got = append(got, u.Key+" "+u.UploadID)
				}
				if len(page.Uploads) > limit || page.MaxUploads != limit {
					t.Fatalf("got %d uploads and MaxUploads %d; want at most %d", len(page.Uploads), page.MaxUploads, limit)
				}
				if !page.IsTruncated {
					break
				}
				query.Set("key-marker", page.NextKeyMarker)
				query.Set("upload-id-marker", page.NextUploadIDMarker)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
		})
	}
}

func TestListMultipartUploadsParameters(t *testing.T) {
	s, c := newTestServer(t, nil)
	for _, key := range []string{"a", "b%2F1", "b%2F2", "b%20%2B", "c"} {
		c.initiate("/media/" + key)
	}
	second := s.Uploads("media")[2].UploadID // of b/1
	tests := []struct {
		query, want, groups string
	}{
		{"", "a,b +,b/1,b/2,c", ""},
		{"prefix=b", "b +,b/1,b/2", ""},
		{"prefix=b/", "b/1,b/2", ""},
		{"delimiter=/", "a,b +,c", "b/"},
		{"delimiter=/&prefix=b/", "b/1,b/2", ""},
		{"key-marker=b/1", "b/2,c", ""},
		{"key-marker=b", "b +,b/1,b/2,c", ""},
		{"key-marker=b/1&upload-id-marker=0", "b/1,b/2,c", ""},
		{"key-marker=b/1&upload-id-marker=" + second, "b/2,c", ""},
		{"upload-id-marker=" + second, "a,b +,b/1,b/2,c", ""},
		{"delimiter=/&key-marker=b/", "c", ""},
		{"delimiter=/&max-uploads=3", "a,b +", "b/"},
		{"encoding-type=url&prefix=b%20", "b%20%2B", ""},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			var page listUploadsResult
			c.read(c.good("GET", "/media?uploads&"+test.query, ""), &page)
			var keys, groups []string
			for _, u := range page.Uploads {
				keys = append(keys, u.Key)
				if u.StorageClass != "Standard" || u.Initiated == "" {
					t.Errorf("got upload %+v", u)
				}
			}
			for _, p := range page.CommonPrefixes {
				groups = append(groups, p.Prefix)
			}
			if got := strings.Join(keys, ","); got != test.want {
				t.Errorf("got keys %s; want %s", got, test.want)
			}
			if got := strings.Join(groups, ","); got != test.groups {
				t.Errorf("got groups %s; want %s", got, test.groups)
			}
		})
	}
	for _, query := range []string{"max-uploads=0", "max-uploads=1001", "max-uploads=x", "encoding-type=base64"} {
		c.refused(400, "InvalidArgument", "GET", "/media?uploads&"+query, "")
	}
	c.refused(404, "NoSuchBucket", "GET", "/nowhere?uploads", "")
}

func TestListParts(t *testing.T) {
	at := time.Date(2026, 2, 23, 7, 1, 34, 5e6, time.UTC)
	_, c := newTestServer(t, &Options{Now: func() time.Time { return at }})
	id := c.initiate("/media/a%20b", "x-oss-storage-class", "IA")
	etags := map[int]string{}
	for _, n := range []int{5, 1, 10000, 77} {
		etags[n] = c.part("/media/a%20b", id, n, fmt.Sprint("part ", n))
	}
	var all listPartsResult
	c.read(c.good("GET", "/media/a%20b?uploadId="+id, ""), &all)
	if all.Bucket != "media" || all.Key != "a b" || all.UploadID != id || all.StorageClass != "IA" || all.MaxParts != 1000 ||
		all.IsTruncated || all.NextPartNumberMarker != 10000 || len(all.Parts) != 4 {
		t.Errorf("got %+v", all)
	}
	want := partResult{5, "2026-02-23T07:01:34.005Z", etags[5], crcText("part 5"), 6}
	if got := all.Parts[1]; got != want {
		t.Errorf("got part %+v; want %+v", got, want)
	}
	var page listPartsResult
	c.read(c.good("GET", "/media/a%20b?max-parts=2&part-number-marker=1&encoding-type=url&uploadId="+id, ""), &page)
	if page.Key != "a%20b" || page.EncodingType != "url" || !page.IsTruncated || page.PartNumberMarker != 1 || page.NextPartNumberMarker != 77 ||
		len(page.Parts) != 2 || page.Parts[0].PartNumber != 5 {
		t.Errorf("got %+v", page)
	}
	for _, query := range []string{"max-parts=1001", "max-parts=0", "max-parts=-1", "part-number-marker=x"} {
		c.refused(400, "InvalidArgument", "GET", "/media/a%20b?uploadId="+id+"&"+query, "")
	}
}

func TestListObjects(t *testing.T) {
	s, c := newTestServer(t, nil)
	keys := []string{"a", "b/1", "b/2", "c/1", "d", "e \x01é"}
	for _, key := range keys {
		c.good("PUT", "/media/"+url.PathEscape(key), key)
	}
	if objects := s.Objects("media"); len(objects) != len(keys) || objects[5].Key != keys[5] {
		t.Errorf("Objects: got %v", objects)
	}
	for _, version := range []string{"", "list-type=2&"} {
		t.Run("in pages, "+version, func(t *testing.T) {
			var got []string
			query := ""
			for range 20 {
				var page listObjectsResult
				c.read(c.good("GET", "/media?"+version+"delimiter=/&encoding-type=url&max-keys=1"+query, ""), &page)
				for _, o := range page.Contents {
					key, _ := url.QueryUnescape(o.Key)
					got = append(got, key)
				}
				for _, p := range page.CommonPrefixes {
					prefix, _ := url.QueryUnescape(p.Prefix)
					got = append(got, prefix)
				}
				if !page.IsTruncated {
					break
				}
				query = "&marker=" + page.NextMarker
				if version != "" {
					query = "&continuation-token=" + url.QueryEscape(page.NextContinuationToken)
				}
			}
			if want := []string{"a", "b/", "c/", "d", keys[5]}; !slices.Equal(got, want) {
				t.Errorf("got %q; want %q", got, want)
			}
		})
	}
	var page listObjectsResult
	c.read(c.good("GET", "/media?list-type=2&start-after=b/1&max-keys=2", ""), &page)
	if *page.KeyCount != 2 || page.StartAfter != "b/1" || page.Contents[0].Key != "b/2" || page.Contents[0].Owner != nil {
		t.Errorf("got %+v", page)
	}
	page = listObjectsResult{}
	c.read(c.good("GET", "/media?prefix=a", ""), &page)
	o := page.Contents[0]
	if page.MaxKeys != 100 || page.Marker == nil || o.Size != 1 || o.Type != "Normal" || o.StorageClass != "Standard" || o.Owner == nil ||
		o.ETag != quoted("0CC175B9C0F1B6A831C399E269772661") {
		t.Errorf("got %+v", page)
	}
	c.refused(400, "InvalidArgument", "GET", "/media?list-type=2&continuation-token=???", "")
	c.refused(400, "InvalidArgument", "GET", "/media?max-keys=0", "")
}

func TestBuckets(t *testing.T) {
	s, c := newTestServer(t, &Options{Region: "cn-shanghai"})
	c.good("PUT", "/archive", "<CreateBucketConfiguration><StorageClass>Archive</StorageClass></CreateBucketConfiguration>", "x-oss-acl", "public-read")
	c.refused(400, "InvalidArgument", "PUT", "/third", "<CreateBucketConfiguration><StorageClass>Cold</StorageClass></CreateBucketConfiguration>")
	c.refused(400, "MalformedXML", "PUT", "/third", "nothing")
	if got := s.Buckets(); !slices.Equal(got, []string{"archive", "media"}) {
		t.Errorf("Buckets: got %q", got)
	}
	var list listBucketsResult
	c.read(c.good("GET", "/", ""), &list)
	if len(list.Buckets) != 2 || list.Buckets[0].Name != "archive" || list.Buckets[0].Location != "oss-cn-shanghai" {
		t.Errorf("ListBuckets: got %+v", list)
	}
	var info bucketInfoResult
	c.read(c.good("GET", "/archive?bucketInfo", ""), &info)
	if b := info.Bucket; b.Name != "archive" || b.StorageClass != "Archive" || b.AccessControlList.Grant != "public-read" ||
		b.ExtranetEndpoint != "oss-cn-shanghai.aliyuncs.com" || b.IntranetEndpoint != "oss-cn-shanghai-internal.aliyuncs.com" {
		t.Errorf("GetBucketInfo: got %+v", b)
	}
	var location locationResult
	c.read(c.good("GET", "/media?location", ""), &location)
	if location.Location != "oss-cn-shanghai" {
		t.Errorf("GetBucketLocation: got %q", location.Location)
	}
	c.good("PUT", "/archive/k", "abc")
	if o, _ := s.Object("archive", "k"); o.StorageClass != "Archive" {
		t.Errorf("an object got storage class %q; want its bucket's", o.StorageClass)
	}
	c.good("DELETE", "/archive/k", "")
	if a := c.do("DELETE", "/archive", ""); a.status != 204 {
		t.Errorf("DeleteBucket: got %d; want 204", a.status)
	}
	c.refused(404, "NoSuchBucket", "DELETE", "/archive", "")
	c.good("GET", "/media?live", "")
}

func TestDeleteMultipleObjects(t *testing.T) {
	s, c := newTestServer(t, nil)
	for _, key := range []string{"a", "b", "c", "d"} {
		c.good("PUT", "/media/"+key, key)
	}
	body := "<Delete><Quiet>false</Quiet><Object><Key>a</Key></Object><Object><Key>x y</Key></Object></Delete>"
	var result deleteResult
	c.read(c.good("POST", "/media?delete&encoding-type=url", body, "Content-MD5", md5Text(body)), &result)
	if len(result.Deleted) != 2 || result.Deleted[0].Key != "a" || result.Deleted[1].Key != "x%20y" || result.EncodingType != "url" {
		t.Errorf("got %+v", result)
	}
	if a := c.good("POST", "/media?delete", "<Delete><Quiet>true</Quiet><Object><Key>b</Key></Object></Delete>"); a.body != "" {
		t.Errorf("quiet: got %q; want no body", a.body)
	}
	if n := len(s.Objects("media")); n != 2 {
		t.Errorf("%d objects are left; want 2", n)
	}
	c.refused(400, "InvalidDigest", "POST", "/media?delete", body, "Content-MD5", emptyMD5)
	c.refused(400, "MalformedXML", "POST", "/media?delete", "<Delete></Delete>")
	c.refused(400, "InvalidObjectName", "POST", "/media?delete", "<Delete><Object><Key>c</Key></Object><Object><Key>/d</Key></Object></Delete>")
	c.refused(404, "NoSuchBucket", "POST", "/nowhere?delete", body)
	many := "<Delete>" + strings.Repeat("<Object><Key>c</Key></Object>", 1001) + "</Delete>"
	c.refused(400, "MalformedXML", "POST", "/media?delete", many)
	if n := len(s.Objects("media")); n != 2 {
		t.Errorf("%d objects are left after calls that were refused; want 2", n)
	}
}
