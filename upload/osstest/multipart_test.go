package osstest

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func crcText(s string) string {
	return strconv.FormatUint(crc64.Checksum([]byte(s), crcTable), 10)
}

func md5Text(s string) string {
	sum := md5.Sum([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestUploadInParts(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		const path = "/media/in/a%20b.mp4"
		id := c.initiate(path, "Content-Type", "video/mp4", "x-oss-meta-who", "me")
		if len(id) != 32 || strings.ToUpper(id) != id {
			t.Errorf("got upload ID %q; want 32 upper-case digits", id)
		}
		first, last := letters(minPartSize), letters(1000)
		a := c.good("PUT", path+"?partNumber=2&uploadId="+id, first)
		e2 := a.Get("Etag")
		if a.Get("Content-Md5") != md5Text(first) || a.Get("X-Oss-Hash-Crc64ecma") != crcText(first) || a.body != "" {
			t.Errorf("the answer to a part is about other bytes: %v", a.Header)
		}
		e7 := c.part(path, id, 7, last)
		if _, ok := s.Object("media", "in/a b.mp4"); ok {
			t.Error("the object is there before the upload is completed")
		}
		a = c.complete(path, id, 2, e2, 7, strings.ToLower(strings.Trim(e7, `"`)))
		var result completeResult
		c.read(a, &result)
		want := completeResult{
			XMLName: result.XMLName, Location: s.URL + path, Bucket: "media", Key: "in/a b.mp4",
			ETag: quoted(partsETag([]string{unquoted(e2), unquoted(e7)})),
		}
		if result != want {
			t.Errorf("got %+v\nwant %+v", result, want)
		}
		if got := a.Get("X-Oss-Hash-Crc64ecma"); got != crcText(first+last) {
			t.Errorf("got CRC %s of the object; want %s", got, crcText(first+last))
		}
		if stored(t, s, "media", "in/a b.mp4") != first+last {
			t.Error("the object has other bytes than its parts")
		}
		o, _ := s.Object("media", "in/a b.mp4")
		if o.Type != "Multipart" || o.ContentType != "video/mp4" || o.Header.Get("x-oss-meta-who") != "me" || o.ETag != unquoted(result.ETag) {
			t.Errorf("got object %+v", o)
		}
		c.refused(404, "NoSuchUpload", "POST", path+"?uploadId="+id, partList(2, e2))
		if len(s.Uploads("media")) != 0 {
			t.Error("the upload is still listed")
		}
	})
}

func TestPartThatIsSentAgainReplacesTheFirst(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		id := c.initiate("/media/k")
		old := c.part("/media/k", id, 1, "old")
		fresh := c.part("/media/k", id, 1, "fresh")
		c.refused(400, "InvalidPart", "POST", "/media/k?uploadId="+id, partList(1, old))
		if parts := s.Uploads("media")[0].Parts; len(parts) != 1 || parts[0].Size != 5 {
			t.Errorf("got parts %+v; want one of 5 bytes", parts)
		}
		c.complete("/media/k", id, 1, fresh)
		if got := stored(t, s, "media", "k"); got != "fresh" {
			t.Errorf("stored %q; want fresh", got)
		}
		wantBlobs(t, opts.Dir, 1)
	})
}

func TestCompleteDropsThePartsThatAreNotListed(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		id := c.initiate("/media/k")
		c.part("/media/k", id, 1, "one")
		c.complete("/media/k", id, 2, c.part("/media/k", id, 2, "two"))
		if got := stored(t, s, "media", "k"); got != "two" {
			t.Errorf("stored %q; want two", got)
		}
		wantBlobs(t, opts.Dir, 1)
	})
}

func TestCompleteAllTakesAllParts(t *testing.T) {
	s, c := newTestServer(t, nil)
	id := c.initiate("/media/k")
	c.part("/media/k", id, 9, "end")
	big := letters(minPartSize)
	c.part("/media/k", id, 3, big)
	c.refused(400, "InvalidArgument", "POST", "/media/k?uploadId="+id, "", "x-oss-complete-all", "no")
	c.good("POST", "/media/k?uploadId="+id, "", "x-oss-complete-all", "yes")
	if stored(t, s, "media", "k") != big+"end" {
		t.Error("stored other bytes than the parts'")
	}
}

func TestEmptyListMakesAnEmptyObject(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		for _, kind := range []string{"", "?sequential"} {
			id := c.initiate("/media/k" + kind)
			c.part("/media/k", id, 1, "unused")
			c.refused(400, "MalformedXML", "POST", "/media/k?uploadId="+id, "")
			c.good("POST", "/media/k?uploadId="+id, "<CompleteMultipartUpload></CompleteMultipartUpload>")
			o, _ := s.Object("media", "k")
			if o.Size != 0 || o.CRC64 != 0 || o.Type != "Multipart" || stored(t, s, "media", "k") != "" {
				t.Errorf("got %+v; want an empty object", o)
			}
			c.refused(404, "NoSuchUpload", "GET", "/media/k?uploadId="+id, "")
		}
		wantBlobs(t, opts.Dir, 0)
		if opts.Dir != "" {
			s, _ = reopen(t, s)
			if stored(t, s, "media", "k") != "" {
				t.Error("the empty object has bytes after a restart")
			}
		}
	})
}

func TestRefusedCompleteLeavesTheUpload(t *testing.T) {
	s, c := newTestServer(t, nil)
	id := c.initiate("/media/k")
	etag := c.part("/media/k", id, 1, "abc")
	complete := "/media/k?uploadId=" + id
	c.refused(400, "InvalidPart", "POST", complete, partList(1, `"00"`))
	c.good("PUT", "/media/k", "in the way")
	a := c.refused(409, "FileAlreadyExists", "POST", complete, partList(1, etag), "x-oss-forbid-overwrite", "true")
	if a.EC != "0042-00000214" {
		t.Errorf("got EC %q; want 0042-00000214", a.EC)
	}
	if got := stored(t, s, "media", "k"); got != "in the way" {
		t.Errorf("stored %q; want what was there", got)
	}
	c.complete("/media/k", id, 1, etag)
	if got := stored(t, s, "media", "k"); got != "abc" {
		t.Errorf("stored %q; want abc", got)
	}
}

func TestUploadsOfOneKeyAreIndependent(t *testing.T) {
	s, c := newTestServer(t, nil)
	first, second := c.initiate("/media/k"), c.initiate("/media/k")
	e1, e2 := c.part("/media/k", first, 1, "one"), c.part("/media/k", second, 1, "two")
	c.complete("/media/k", second, 1, e2)
	c.complete("/media/k", first, 1, e1)
	if got := stored(t, s, "media", "k"); got != "one" {
		t.Errorf("stored %q; want that of the last Complete", got)
	}
}

func TestAbort(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		id := c.initiate("/media/k")
		c.part("/media/k", id, 1, "abc")
		if a := c.do("DELETE", "/media/k?uploadId="+id, ""); a.status != 204 {
			t.Errorf("got %d; want 204", a.status)
		}
		c.refused(404, "NoSuchUpload", "DELETE", "/media/k?uploadId="+id, "")
		wantBlobs(t, opts.Dir, 0)
		id = c.initiate("/media/k")
		if s.AbortUpload("media", "other", id) || !s.AbortUpload("media", "k", id) || s.AbortUpload("media", "k", id) {
			t.Error("AbortUpload returned something other than whether the upload existed")
		}
	})
}

func TestInitiateKeepsWhatCompleteApplies(t *testing.T) {
	_, c := newTestServer(t, nil)
	headers := map[string]string{
		"Content-Type": "video/mp4", "Cache-Control": "no-cache", "Content-Disposition": "attachment",
		"Content-Encoding": "identity", "Content-Language": "de", "Expires": "Fri, 01 Jan 2027 00:00:00 GMT",
		"X-Oss-Meta-My-Prop": "v", "X-Oss-Server-Side-Encryption": "AES256", "X-Oss-Storage-Class": "IA",
	}
	list := []string{"x-oss-tagging", "a=1&b=%20", "x-oss-object-acl", "public-read"}
	for name, v := range headers {
		list = append(list, name, v)
	}
	a := c.good("POST", "/media/k?uploads", "", list...)
	if a.Get("X-Oss-Server-Side-Encryption") != "AES256" {
		t.Error("Initiate does not echo the encryption")
	}
	var result initiateResult
	c.read(a, &result)
	c.complete("/media/k", result.UploadID, 1, c.part("/media/k", result.UploadID, 1, "abc"))
	a = c.good("HEAD", "/media/k", "")
	headers["X-Oss-Tagging-Count"] = "2"
	headers["X-Oss-Object-Type"] = "Multipart"
	headers["Content-Length"] = "3"
	headers["Content-Md5"] = ""
	headers["X-Oss-Tagging"] = ""
	for name, want := range headers {
		if got := a.Get(name); got != want {
			t.Errorf("header %s: got %q; want %q", name, got, want)
		}
	}
	var acl aclResult
	c.read(c.good("GET", "/media/k?acl", ""), &acl)
	if acl.List.Grant != "public-read" {
		t.Errorf("got ACL %q; want public-read", acl.List.Grant)
	}
}

func TestCompleteMayBringAnACLAndANotification(t *testing.T) {
	s, c := newTestServer(t, nil)
	id := c.initiate("/media/k")
	etag := c.part("/media/k", id, 1, "abc")
	c.good("POST", "/media/k?uploadId="+id, partList(1, etag), "x-oss-object-acl", "private", "x-oss-notification", "bm90ZQ==")
	o, _ := s.Object("media", "k")
	if o.ACL != "private" || o.Header.Get("X-Oss-Notification") != "bm90ZQ==" {
		t.Errorf("got ACL %q and notification %q", o.ACL, o.Header.Get("X-Oss-Notification"))
	}
	if a := c.good("HEAD", "/media/k", ""); a.Get("X-Oss-Notification") != "" {
		t.Error("HeadObject shows the notification")
	}
}

func TestSequentialUpload(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		id := c.initiate("/media/k?sequential")
		path := "/media/k?uploadId=" + id
		notNext := func(a *testAnswer, number string) {
			t.Helper()
			if a.EC != "0042-00000105" || a.field("PartNumber") != number {
				t.Errorf("got EC %s, PartNumber %s; want 0042-00000105 and %s", a.EC, a.field("PartNumber"), number)
			}
		}
		notNext(c.refused(400, "PartNotSequential", "PUT", path+"&partNumber=2", "early"), "2")
		big := letters(minPartSize)
		e1 := c.part("/media/k", id, 1, big)
		if opts.Dir != "" {
			_, c = reopen(t, s)
		}
		a := c.refused(409, "PartAlreadyExist", "PUT", path+"&partNumber=1", "again")
		if a.EC != "0042-00000108" || a.field("PartEtag") != e1 || a.field("PartNumber") != "1" {
			t.Errorf("got EC %s, PartEtag %s; want 0042-00000108 and %s", a.EC, a.field("PartEtag"), e1)
		}
		notNext(c.refused(400, "PartNotSequential", "PUT", path+"&partNumber=3", "early"), "3")
		c.good("PUT", "/media/source", big)
		notNext(c.refused(400, "PartNotSequential", "PUT", path+"&partNumber=3", "", "x-oss-copy-source", "/media/source"), "3")
		e2 := c.part("/media/k", id, 2, "end")
		notNext(c.refused(400, "PartNotSequential", "POST", path, partList(2, e2)), "2")
		c.complete("/media/k", id, 1, e1, 2, e2)
		if got, want := c.good("HEAD", "/media/k", "").Get("Content-Md5"), md5Text(big+"end"); got != want {
			t.Errorf("got Content-MD5 %q; want %q", got, want)
		}
		wantBlobs(t, opts.Dir, 3)
	})
}

func TestUploadPartCopy(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		source := letters(minPartSize) + "0123456789"
		c.good("PUT", "/media/so%2Burce%20x", source)
		id := c.initiate("/media/k")
		path := "/media/k?uploadId=" + id + "&partNumber="
		var first, second copyPartResult
		c.read(c.good("PUT", path+"1", "", "x-oss-copy-source", "/media/so%2Burce+x"), &first)
		c.read(c.good("PUT", path+"2", "", "x-oss-copy-source", "/media/so%2Burce%20x", "x-oss-copy-source-range", fmt.Sprintf("bytes=%d-%d", minPartSize+2, minPartSize+4)), &second)
		c.complete("/media/k", id, 1, first.ETag, 2, second.ETag)
		if stored(t, s, "media", "k") != source+"234" {
			t.Error("the object has other bytes than the parts that were copied")
		}
		if opts.Dir != "" {
			return
		}
		etag := c.good("HEAD", "/media/so%2Burce%20x", "").Get("Etag")
		id = c.initiate("/media/k")
		path = "/media/k?partNumber=1&uploadId=" + id
		conditions := []struct {
			name, value string
			status      int
		}{
			{"if-match", etag, 200}, {"if-match", `"00"`, 412},
			{"if-none-match", `"00"`, 200}, {"if-none-match", etag, 304},
			{"if-modified-since", "Fri, 13 Nov 2015 14:47:53 GMT", 200}, {"if-modified-since", "Fri, 13 Nov 2099 14:47:53 GMT", 304},
			{"if-unmodified-since", "Fri, 13 Nov 2099 14:47:53 GMT", 200}, {"if-unmodified-since", "Fri, 13 Nov 2015 14:47:53 GMT", 412},
		}
		for _, cond := range conditions {
			a := c.do("PUT", path, "", "x-oss-copy-source", "/media/so%2Burce%20x", "x-oss-copy-source-"+cond.name, cond.value)
			if a.status != cond.status {
				t.Errorf("%s %s: got %d; want %d", cond.name, cond.value, a.status, cond.status)
			}
		}
		c.refused(404, "NoSuchKey", "PUT", path, "", "x-oss-copy-source", "/media/nothing")
		c.refused(404, "NoSuchBucket", "PUT", path, "", "x-oss-copy-source", "/nowhere/k")
		c.refused(400, "InvalidArgument", "PUT", path, "", "x-oss-copy-source", "media")
	})
}

// TestThousandUploadsAtOnce has a part of each of them half sent at the same
// time. It calls the handler itself: a thousand connections are not what it is
// about.
func TestThousandUploadsAtOnce(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		uploads := 1000
		if opts.Dir != "" { // as many files take seconds, and show nothing more
			uploads = 200
		}
		s, c := newTestServer(t, opts)
		big := letters(10 << 10)
		var half, done sync.WaitGroup
		half.Add(uploads)
		for i := range uploads {
			done.Go(func() {
				if err := uploadInHalves(c, fmt.Sprintf("/media/k%d", i), big, &half); err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
		if n := s.MaxInFlight(OpUploadPart); n != uploads {
			t.Errorf("at most %d parts were in flight; want %d", n, uploads)
		}
		objects := s.Objects("media")
		if len(objects) != uploads {
			t.Fatalf("got %d objects; want %d", len(objects), uploads)
		}
		for _, o := range objects {
			if want := crcText("/media/" + o.Key + big); strconv.FormatUint(o.CRC64, 10) != want {
				t.Errorf("object %s has CRC %d; want %s", o.Key, o.CRC64, want)
			}
		}
	})
}

// uploadInHalves uploads an object that begins with its path. When the first
// half of its part has been read, it waits for the others.
func uploadInHalves(c *testClient, path, rest string, half *sync.WaitGroup) error {
	atHalf := sync.OnceFunc(half.Done)
	defer atHalf()
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, c.request("POST", path+"?uploads", nil))
	_, id, _ := strings.Cut(w.Body.String(), "<UploadId>")
	id, _, _ = strings.Cut(id, "<")

	body, sender := io.Pipe()
	r := c.request("PUT", path+"?partNumber=1&uploadId="+id, body)
	r.ContentLength = int64(len(path + rest))
	go func() {
		io.WriteString(sender, path)
		atHalf()
		half.Wait()
		io.WriteString(sender, rest)
		sender.Close()
	}()
	w = httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		body.CloseWithError(io.ErrClosedPipe)
		return fmt.Errorf("part of %s: got %d %s", path, w.Code, w.Body)
	}
	etag := w.Header().Get("Etag")
	w = httptest.NewRecorder()
	c.s.ServeHTTP(w, c.request("POST", path+"?uploadId="+id, strings.NewReader(partList(1, etag))))
	if w.Code != http.StatusOK {
		return fmt.Errorf("completion of %s: got %d %s", path, w.Code, w.Body)
	}
	return nil
}

// Of two bodies for one part of a sequential upload that are under way together, the
// first to arrive is kept.
func TestSequentialPartTwiceAtTheSameTime(t *testing.T) {
	s, c := newTestServer(t, nil)
	id := c.initiate("/media/k?sequential")
	path := "/media/k?partNumber=1&uploadId=" + id
	reader, writer := io.Pipe()
	late := make(chan *testAnswer)
	go func() {
		a, err := c.try(c.request("PUT", path, reader))
		if err != nil {
			t.Error(err)
		}
		late <- a
	}()
	io.WriteString(writer, "la") // the transport has read it: the call is under way
	if err := s.WaitRequests(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	c.good("PUT", path, "first")
	io.WriteString(writer, "te")
	writer.Close()
	if a := <-late; a == nil || a.status != 409 || a.Code != "PartAlreadyExist" {
		t.Errorf("got %+v; want 409 PartAlreadyExist", a)
	}
	if got := s.Uploads("media")[0].Parts; len(got) != 1 || got[0].Size != 5 {
		t.Errorf("got parts %+v; want the first", got)
	}
}
