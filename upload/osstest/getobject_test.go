package osstest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

func TestRanges(t *testing.T) {
	tests := []struct {
		header   string
		size     int64
		want     span
		partial  bool
		standard span // with x-oss-range-behavior: standard; length 0: InvalidRange
	}{
		{"", 10, span{0, 10}, false, span{0, 10}},
		{"bytes=0-9", 10, span{0, 10}, true, span{0, 10}},
		{"bytes=2-4", 10, span{2, 3}, true, span{2, 3}},
		{"bytes=9-9", 10, span{9, 1}, true, span{9, 1}},
		{"bytes=4-", 10, span{4, 6}, true, span{4, 6}},
		{"bytes=-3", 10, span{7, 3}, true, span{7, 3}},
		{"bytes=5-20", 10, span{0, 10}, false, span{5, 5}},
		{"bytes=10-20", 10, span{0, 10}, false, span{}},
		{"bytes=10-", 10, span{0, 10}, false, span{}},
		{"bytes=-20", 10, span{0, 10}, false, span{0, 10}},
		{"bytes=4-2", 10, span{0, 10}, false, span{0, 10}},
		{"bytes=a-b", 10, span{0, 10}, false, span{0, 10}},
		{"bytes=-", 10, span{0, 10}, false, span{0, 10}},
		{"bytes=0-1,4-5", 10, span{0, 10}, false, span{0, 10}},
		{"items=0-1", 10, span{0, 10}, false, span{0, 10}},
		{"bytes=0-", 0, span{0, 0}, false, span{}},
	}
	for _, test := range tests {
		t.Run(test.header, func(t *testing.T) {
			sp, partial, aerr := spanOf(test.header, test.size, false)
			if aerr != nil || sp != test.want || partial != test.partial {
				t.Errorf("got %v, %v, %v; want %v, %v", sp, partial, aerr, test.want, test.partial)
			}
			sp, _, aerr = spanOf(test.header, test.size, true)
			if sp != test.standard || (aerr != nil) != (test.standard.length == 0) {
				t.Errorf("standard behaviour: got %v, %v; want %v", sp, aerr, test.standard)
			}
		})
	}
}

func TestRangesOverTheEdgesOfParts(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		_, c := newTestServer(t, opts)
		all := ""
		id := c.initiate("/media/k")
		var parts []any
		for i, size := range []int{minPartSize, minPartSize + 1, storage.ChunkSize + 5, 3} {
			body := letters(size)
			parts = append(parts, i+1, c.part("/media/k", id, i+1, body))
			all += body
		}
		c.complete("/media/k", id, parts...)
		edges := []int{0, 1, minPartSize - 1, minPartSize, minPartSize + 1, 2*minPartSize + 1, 2*minPartSize + 1 + storage.ChunkSize, len(all) - 3, len(all) - 1}
		for i, from := range edges {
			for _, to := range edges[i:] {
				a := c.good("GET", "/media/k", "", "Range", fmt.Sprintf("bytes=%d-%d", from, to))
				if a.status != 206 || a.body != all[from:to+1] {
					t.Errorf("bytes %d to %d: got %d and %d bytes, not those of the object", from, to, a.status, len(a.body))
				}
				if want := fmt.Sprintf("bytes %d-%d/%d", from, to, len(all)); a.Get("Content-Range") != want {
					t.Errorf("got Content-Range %q; want %q", a.Get("Content-Range"), want)
				}
				if a.Get("X-Oss-Hash-Crc64ecma") != crcText(all) {
					t.Error("the CRC is not that of the whole object")
				}
			}
		}
	})
}

func TestConditions(t *testing.T) {
	modified := time.Date(2026, 3, 4, 5, 6, 7, 999, time.UTC)
	_, c := newTestServer(t, &Options{Now: func() time.Time { return modified }})
	etag := c.good("PUT", "/media/k", "abc").Get("Etag")
	at := func(d time.Duration) string { return httpTime(modified.Add(d)) }
	tests := []struct {
		name, value string
		status      int
	}{
		{"If-Match", etag, 200}, {"If-Match", strings.Trim(etag, `"`), 200}, {"If-Match", `"00"`, 412},
		{"If-None-Match", etag, 304}, {"If-None-Match", `"00"`, 200}, {"If-None-Match", "*", 304},
		{"If-Modified-Since", at(-time.Second), 200}, {"If-Modified-Since", at(0), 304}, {"If-Modified-Since", at(time.Second), 304},
		{"If-Unmodified-Since", at(-time.Second), 412}, {"If-Unmodified-Since", at(0), 200}, {"If-Unmodified-Since", "yesterday", 200},
	}
	for _, test := range tests {
		for _, method := range []string{"GET", "HEAD"} {
			a := c.do(method, "/media/k", "", test.name, test.value)
			if a.status != test.status {
				t.Errorf("%s with %s: %s: got %d; want %d", method, test.name, test.value, a.status, test.status)
			}
			if a.status == 304 && (a.body != "" || a.Get("Etag") != etag) {
				t.Errorf("304: got body %q and ETag %q; want none and %q", a.body, a.Get("Etag"), etag)
			}
		}
	}
}

func TestObjectAndItsHeaders(t *testing.T) {
	modified := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	_, c := newTestServer(t, &Options{Now: func() time.Time { return modified }})
	put := c.good("PUT", "/media/k", "abc", "x-oss-meta-who", "me")
	want := map[string]string{
		"Content-Length": "3", "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes",
		"Etag": `"900150983CD24FB0D6963F7D28E17F72"`, "Last-Modified": "Wed, 04 Mar 2026 05:06:07 GMT",
		"X-Oss-Object-Type": "Normal", "X-Oss-Storage-Class": "Standard", "X-Oss-Hash-Crc64ecma": crcText("abc"),
		"X-Oss-Meta-Who": "me", "Content-Md5": md5Text("abc"), "X-Oss-Version-Id": "", "X-Oss-Tagging-Count": "",
	}
	for _, method := range []string{"GET", "HEAD"} {
		a := c.good(method, "/media/k", "")
		for name, want := range want {
			if got := a.Get(name); got != want {
				t.Errorf("%s: header %s: got %q; want %q", method, name, got, want)
			}
		}
	}
	for _, name := range []string{"Etag", "Content-Md5", "X-Oss-Hash-Crc64ecma"} {
		if put.Get(name) != want[name] {
			t.Errorf("PutObject: header %s: got %q; want %q", name, put.Get(name), want[name])
		}
	}
	a := c.good("HEAD", "/media/k?objectMeta", "")
	if a.Get("Content-Length") != "3" || a.Get("Etag") != want["Etag"] || a.Get("X-Oss-Object-Type") != "" {
		t.Errorf("GetObjectMeta: got %v", a.Header)
	}
	a = c.good("GET", "/media/k?response-content-type=text%2Fplain&response-expires=never", "")
	if a.Get("Content-Type") != "text/plain" || a.Get("Expires") != "never" {
		t.Errorf("the query did not choose the headers: %v", a.Header)
	}
}

func TestReaderOutlivesItsObject(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		c.good("PUT", "/media/k", "first")
		o, _ := s.Object("media", "k")
		r, err := o.Open()
		if err != nil {
			t.Fatal(err)
		}
		c.good("PUT", "/media/k", "second")
		c.good("DELETE", "/media/k", "")
		buf := make([]byte, 10)
		if n, err := r.Read(buf); string(buf[:n]) != "first" {
			t.Errorf("read %q, %v; want first", buf[:n], err)
		}
		r.Close()
		r.Close()
		wantBlobs(t, opts.Dir, 0)
		if _, err := o.Open(); err == nil {
			t.Error("an object that is gone can be opened")
		}
		if _, err := (Object{}).Open(); err == nil {
			t.Error("an object of no server can be opened")
		}
	})
}

func TestACLs(t *testing.T) {
	s, c := newTestServer(t, nil)
	grant := func(path string) string {
		var acl aclResult
		c.read(c.good("GET", path+"?acl", ""), &acl)
		return acl.List.Grant
	}
	c.good("PUT", "/media/k", "abc")
	if got := grant("/media/k"); got != "default" {
		t.Errorf("got ACL %q of an object; want default", got)
	}
	c.good("PUT", "/media/k?acl", "", "x-oss-object-acl", "public-read")
	o, _ := s.Object("media", "k")
	if got := grant("/media/k"); got != "public-read" || o.ACL != got {
		t.Errorf("got ACL %q, and %q by the server's method; want public-read", got, o.ACL)
	}
	c.refused(400, "InvalidArgument", "PUT", "/media/k?acl", "", "x-oss-object-acl", "everybody")
	c.refused(400, "InvalidArgument", "PUT", "/media/k?acl", "")
	c.refused(404, "NoSuchKey", "PUT", "/media/nothing?acl", "", "x-oss-object-acl", "private")
	if got := grant("/media"); got != "private" {
		t.Errorf("got ACL %q of a bucket; want private", got)
	}
	c.good("PUT", "/media?acl", "", "x-oss-acl", "public-read")
	if got := grant("/media"); got != "public-read" {
		t.Errorf("got ACL %q of a bucket; want public-read", got)
	}
	c.good("PUT", "/media", "", "x-oss-acl", "public-read-write")
	if got := grant("/media"); got != "public-read-write" {
		t.Errorf("got ACL %q of a bucket; want public-read-write", got)
	}
	c.refused(400, "InvalidArgument", "PUT", "/media", "", "x-oss-acl", "default")
	if got := stored(t, s, "media", "k"); got != "abc" {
		t.Errorf("the bucket lost its object: %q", got)
	}
}
