package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

func TestPut(t *testing.T) {
	body := data(100_000)
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.URL.EscapedPath(), "/media/in%2Ftalk.mp4"; got != want {
			t.Errorf("got path %s, want %s", got, want)
		}
		if r.ContentLength != int64(len(body)) || r.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("got %d bytes of %s", r.ContentLength, r.Header.Get("Content-Type"))
		}
		w.Header().Set("x-oss-version-id", "V1")
		accept(w, r)
	}), nil)
	var sent int64
	b := Body{R: strings.NewReader("head" + body + "tail"), Off: 4, Size: int64(len(body)), Sent: func(n int64) { sent += n }}
	res, err := o.Put(t.Context(), testKey, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !res.Verified || len(res.ETag) != 32 || res.ETag != strings.ToLower(res.ETag) || res.VersionID != "V1" {
		t.Errorf("got %+v", res)
	}
	if sent != int64(len(body)) {
		t.Errorf("Sent reported %d bytes, want %d", sent, len(body))
	}
}

func TestPutEmpty(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 || len(r.TransferEncoding) != 0 {
			t.Errorf("got length %d, encoding %v: want 0 and none", r.ContentLength, r.TransferEncoding)
		}
		accept(w, r)
	}), nil)
	res, err := o.Put(t.Context(), testKey, bodyOf(""), nil)
	if err != nil || !res.Verified || res.CRC64 != 0 {
		t.Errorf("got %+v, %v", res, err)
	}
}

// An answer is what a server says, and what the call makes of it.
func TestAnswersThatCannotBeTrusted(t *testing.T) {
	type call func(o *Object) error
	put := func(o *Object) error { _, err := o.Put(t.Context(), testKey, bodyOf("x"), nil); return err }
	initiate := func(o *Object) error { _, err := o.Initiate(t.Context(), testKey, nil); return err }
	part := func(o *Object) error { _, err := putPart(t.Context(), o, bodyOf("x")); return err }
	complete := func(o *Object) error {
		_, err := o.Complete(t.Context(), testKey, "U", []Part{{Number: 1, ETag: "A"}}, nil)
		return err
	}
	completeCallback := func(o *Object) error {
		_, err := o.Complete(t.Context(), testKey, "U", []Part{{Number: 1, ETag: "A"}}, &target.ObjectOptions{Callback: "e30="})
		return err
	}
	list := func(o *Object) error { _, err := o.ListParts(t.Context(), testKey, "U"); return err }
	abort := func(o *Object) error { return o.Abort(t.Context(), testKey, "U") }
	head := func(o *Object) error { _, err := o.Head(t.Context(), testKey); return err }
	putCallback := func(o *Object) error {
		_, err := o.Put(t.Context(), testKey, bodyOf("x"), &target.ObjectOptions{Callback: "e30="})
		return err
	}
	page := map[string]string{"ETag": `"5f-63a"`, "Content-Type": "text/html", "Last-Modified": "Mon, 02 Jan 2006 15:04:05 GMT"}

	for name, c := range map[string]struct {
		call   call
		status int
		header map[string]string
		body   string
		class  Class
		want   string // in the error's text
	}{
		"put: empty 200":                 {put, 200, nil, "", Retry, "answer has no ETag"},
		"put: other CRC64":               {put, 200, map[string]string{"ETag": `"A"`, "x-oss-hash-crc64ecma": "12345"}, "", Retry, "as the server got them 12345"},
		"initiate: empty 200":            {initiate, 200, nil, "", Retry, "answer is empty"},
		"initiate: HTML":                 {initiate, 200, nil, "<html></html>", Retry, "read answer of 13 bytes"},
		"initiate: no upload ID":         {initiate, 200, nil, "<InitiateMultipartUploadResult></InitiateMultipartUploadResult>", Retry, "upload ID is empty"},
		"initiate: cut short":            {initiate, 200, nil, "<InitiateMultipartUploadResult><UploadId>A</Up", Retry, "read answer"},
		"part: empty 200":                {part, 200, nil, "", Retry, "answer has no ETag"},
		"part: a captive portal's page":  {part, 200, map[string]string{"Content-Type": "text/html"}, "<html><style>p{}</style><h1>Hotel</h1> sign in</html>", Retry, `no ETag: 53 bytes of text/html: "Hotel sign in"`},
		"part: other CRC64":              {part, 200, map[string]string{"ETag": `"A"`, "x-oss-hash-crc64ecma": "12345"}, "", Retry, "12345"},
		"part: HTML 502":                 {part, 502, map[string]string{"Content-Type": "text/html"}, "<html>Bad\nGateway</html>", Retry, "502 Bad Gateway: answer is not of OSS: 24 bytes of text/html"},
		"part: HTML 503":                 {part, 503, nil, "<html></html>", Retry, "503 Service Unavailable"},
		"part: HTML 403":                 {part, 403, nil, "<html></html>", Permanent, "403 Forbidden"},
		"part: 503 without a body":       {part, 503, nil, "", Retry, "503 Service Unavailable"},
		"part: 599":                      {part, 599, nil, "", Retry, "599"},
		"part: 429 with Retry-After":     {part, 429, map[string]string{"Retry-After": "3"}, "", Throttle, "429"},
		"complete: empty 200":            {complete, 200, nil, "", Retry, "answer is empty"},
		"complete: HTML":                 {complete, 200, nil, "<html></html>", Retry, "read answer"},
		"complete: no ETag":              {complete, 200, nil, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>", Retry, "no ETag"},
		"complete: callback, a gateway":  {completeCallback, 200, nil, "{}", Retry, "not of OSS"},
		"list: empty 200":                {list, 200, nil, "", Retry, "answer is empty"},
		"list: HTML":                     {list, 200, nil, "<html></html>", Retry, "read answer"},
		"list: page that does not go on": {list, 200, nil, "<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>", Retry, "continues after 0"},
		"list: part without an ETag":     {list, 200, nil, "<ListPartsResult><Part><PartNumber>1</PartNumber><Size>1</Size></Part></ListPartsResult>", Retry, "part 1 of 1 bytes"},
		"abort: 200":                     {abort, 200, nil, "", Retry, "got status 200, want 204"},
		"head: no ETag":                  {head, 200, nil, "", Retry, "no ETag"},

		// A page of a web server has an ETag and a date; none is stored by whoever sends it.
		"put: a page":                   {put, 200, page, "<html>sign in</html>", Retry, `no CRC64 and no request ID: 20 bytes of text/html: "sign in"`},
		"put: JSON":                     {put, 200, map[string]string{"ETag": `"A"`}, `{"error":"login"}`, Retry, "no request ID"},
		"put: 201 of WebDAV":            {put, 201, map[string]string{"ETag": `"A"`}, "", Retry, "its status is not 200"},
		"put: 202, kept for later":      {put, 202, map[string]string{"ETag": `"A"`, "x-oss-request-id": "R"}, "", Retry, "its status is not 200"},
		"put: callback, a page":         {putCallback, 200, page, "<html>sign in</html>", Retry, "no request ID"},
		"put: callback, an empty page":  {putCallback, 200, page, "", Retry, "no request ID"},
		"put: a proxy's request ID":     {put, 200, map[string]string{"ETag": `"A"`, "X-Request-Id": "1", "X--Request-Id": "1"}, "<html></html>", Retry, "no request ID"},
		"part: a page":                  {part, 200, page, "<html>sign in</html>", Retry, "no request ID"},
		"part: 204":                     {part, 204, page, "", Retry, "its status is not 200"},
		"complete: callback, a page":    {completeCallback, 200, page, "<html>sign in</html>", Retry, "no request ID"},
		"complete: callback, 204":       {completeCallback, 204, page, "", Retry, "its status is not 200"},
		"head: a page without an ETag":  {head, 200, map[string]string{"Content-Type": "text/html", "Content-Length": "53"}, "", Retry, "answer of text/html is not of OSS: it has no ETag or no size, and no request ID"},
		"head: a page":                  {head, 200, map[string]string{"ETag": `"5f-63a"`, "Content-Length": "53", "Last-Modified": "Mon, 02 Jan 2006 15:04:05 GMT"}, "", Retry, "no CRC64 and no request ID"},
		"head: 204 of a portal's probe": {head, 204, page, "", Retry, "no size"},
		"head: bare 404":                {head, 404, nil, "", Permanent, "404 Not Found"},
		"redirect":                      {part, 307, map[string]string{"Location": "http://other.example/x?token=secret"}, "moved", Permanent, "it points to other.example"},
		"redirect to nowhere":           {part, 301, map[string]string{"Location": "://"}, "", Permanent, "redirects are not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				for k, v := range c.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}), nil)
			err := c.call(o)
			e := wantError(t, err, c.class)
			if e.Status != c.status {
				t.Errorf("got status %d, want %d", e.Status, c.status)
			}
			if !strings.Contains(e.Error(), c.want) || strings.Contains(e.Error(), "secret") {
				t.Errorf("got %q, want it to say %q", e, c.want)
			}
		})
	}
}

func TestErrorsOfOSS(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		code   string
		delay  string
		class  Class
		wait   time.Duration
	}{
		"NoSuchUpload":                   {404, "NoSuchUpload", "", Restart, 0},
		"SecurityTokenExpired":           {403, "SecurityTokenExpired", "", Token, 0},
		"InvalidAccessKeyId":             {403, "InvalidAccessKeyId", "", Token, 0},
		"AccessDenied":                   {403, "AccessDenied", "", Permanent, 0},
		"UploadTrafficRateLimitExceeded": {503, "UploadTrafficRateLimitExceeded", "250", Throttle, 250 * time.Millisecond},
		"endless delay":                  {503, "ServiceUnavailable", "99999999999999", Throttle, 5 * time.Minute},
		"bad delay":                      {503, "ServiceUnavailable", "soon", Throttle, 0},
		"negative delay":                 {503, "ServiceUnavailable", "-5", Throttle, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if got := r.Header.Get("x-oss-security-token"); got != "sts-token" {
					t.Errorf("got token %q", got)
				}
				if c.delay != "" {
					w.Header().Set("x-oss-qos-delay-time", c.delay)
				}
				refuse(w, c.status, c.code, "It says\n  sts-token and sts-secret.")
			}), nil)
			_, err := o.UploadPart(t.Context(), testToken, "UPLOAD", 3, bodyOf(data(1000)), nil)
			e := wantError(t, err, c.class)
			if e.Delay != c.wait {
				t.Errorf("got a delay of %v, want %v", e.Delay, c.wait)
			}
			e.Delay = 0
			want := Error{
				Op: "UploadPart", Class: c.class, Bucket: "media", Object: "in/talk.mp4", UploadID: "UPLOAD", Part: 3,
				Status: c.status, Code: c.code, Message: "It says [redacted] and [redacted].",
				RequestID: "6556E3AED11E553933CCDEDF", EC: "0001-00000001", Generation: 7,
			}
			if *e != want {
				t.Errorf("got  %+v\nwant %+v", *e, want)
			}
		})
	}
}

func TestHeadErrorIsInAHeader(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		// <Error><Code>NoSuchBucket</Code><Message>No.</Message></Error>
		w.Header().Set("x-oss-err", "PEVycm9yPjxDb2RlPk5vU3VjaEJ1Y2tldDwvQ29kZT48TWVzc2FnZT5Oby48L01lc3NhZ2U+PC9FcnJvcj4=")
		w.WriteHeader(404)
	}), nil)
	_, err := o.Head(t.Context(), testKey)
	if e := wantError(t, err, Permanent); e.Code != "NoSuchBucket" || e.Message != "No." || e.Status != 404 {
		t.Errorf("got %+v", e)
	}
}

func TestPartWithoutCRC64(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"aBc"`)
	}), nil)
	p, err := putPart(t.Context(), o, bodyOf("123456789"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Part{Number: 7, Size: 9, ETag: "aBc", CRC64: 11051210869376104954}); p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
}

func TestListPartsOfManyPages(t *testing.T) {
	const parts = 2500
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("uploadId") != "U" || q.Get("max-parts") != "1000" || q.Get("encoding-type") != "url" {
			t.Errorf("got query %v", q)
		}
		from, _ := strconv.Atoi(q.Get("part-number-marker"))
		to := min(from+1000, parts)
		fmt.Fprintf(w, `<?xml version="1.0"?><ListPartsResult xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"><EncodingType>url</EncodingType><Key>a%%0Ab</Key>`+
			`<NextPartNumberMarker>%d</NextPartNumberMarker><IsTruncated>%t</IsTruncated>`, to, to < parts)
		for n := from + 1; n <= to; n++ {
			fmt.Fprintf(w, `<Part><PartNumber>%d</PartNumber><ETag>&quot;a%d&quot;</ETag><Size>%d</Size>`, n, n, n*10)
			if n%2 == 0 {
				fmt.Fprintf(w, `<HashCrc64ecma>%d</HashCrc64ecma>`, uint64(n)<<40)
			}
			fmt.Fprint(w, `</Part>`)
		}
		fmt.Fprint(w, `</ListPartsResult>`)
	}), nil)
	got, err := o.ListParts(t.Context(), testKey, "U")
	if err != nil || len(got) != parts {
		t.Fatalf("got %d parts, %v", len(got), err)
	}
	for i, p := range got {
		want := Part{Number: i + 1, Size: int64(i+1) * 10, ETag: fmt.Sprintf("a%d", i+1)}
		if want.Number%2 == 0 {
			want.CRC64, want.HasCRC64 = uint64(want.Number)<<40, true
		}
		if p != want {
			t.Fatalf("got %+v, want %+v", p, want)
		}
	}
}

func TestComplete(t *testing.T) {
	var got string
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = string(b)
		w.Header().Set("x-oss-hash-crc64ecma", "18446744073709551615")
		fmt.Fprint(w, `<?xml version="1.0"?><CompleteMultipartUploadResult xmlns="x"><Location>http://media/x</Location><ETag>"ab-2"</ETag></CompleteMultipartUploadResult>`)
	}), nil)
	parts := []Part{{Number: 2, ETag: "BB"}, {Number: 1, ETag: "A<"}}
	res, err := o.Complete(t.Context(), testKey, "U", parts, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"A&lt;"</ETag></Part>` +
		`<Part><PartNumber>2</PartNumber><ETag>"BB"</ETag></Part></CompleteMultipartUpload>`; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
	if res.ETag != "ab-2" || res.CRC64 != 1<<64-1 || !res.HasCRC64 {
		t.Errorf("got %+v", res)
	}
	if parts[0].Number != 2 {
		t.Error("the caller's parts were sorted")
	}
}

func TestCallback(t *testing.T) {
	opts := &target.ObjectOptions{Callback: "e30="}
	parts := []Part{{Number: 1, ETag: "A"}}
	t.Run("its answer is handed on", func(t *testing.T) {
		o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			accept(w, r)
			fmt.Fprint(w, `{"ok":true}`)
		}), nil)
		p, err := o.Put(t.Context(), testKey, bodyOf("x"), opts)
		if err != nil || string(p.CallbackBody) != `{"ok":true}` || !p.Verified {
			t.Errorf("put: got %+v, %v", p, err)
		}
		c, err := o.Complete(t.Context(), testKey, "U", parts, opts)
		if err != nil || string(c.CallbackBody) != `{"ok":true}` || !c.HasCRC64 || c.ETag == "" {
			t.Errorf("complete: got %+v, %v", c, err)
		}
	})
	t.Run("its failure leaves the object stored", func(t *testing.T) {
		o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			accept(w, r)
			refuse(w, 203, "CallbackFailed", "Error status : 301.")
		}), nil)
		p, err := o.Put(t.Context(), testKey, bodyOf("x"), opts)
		e := wantError(t, err, Permanent)
		if !e.Stored() || e.Code != "CallbackFailed" || e.Status != 203 || p.ETag == "" || !p.Verified {
			t.Errorf("put: got %+v, %+v", p, e)
		}
		c, err := o.Complete(t.Context(), testKey, "U", parts, opts)
		e = wantError(t, err, Permanent)
		if !e.Stored() || e.Message != "Error status : 301." || c.ETag == "" || !c.HasCRC64 {
			t.Errorf("complete: got %+v, %+v", c, e)
		}
	})
	t.Run("other errors do not", func(t *testing.T) {
		o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) { refuse(w, 403, "AccessDenied", "No.") }), nil)
		_, err := o.Put(t.Context(), testKey, bodyOf("x"), opts)
		if e := wantError(t, err, Permanent); e.Stored() {
			t.Errorf("%v: says that the object is stored", e)
		}
	})
}

// What must not be sent is an error before any byte is.
func TestRequestsThatAreNotMade(t *testing.T) {
	o := newObject(t, serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request came") }), nil)
	bad := &target.ObjectOptions{ContentType: "a\nb"}
	one := []Part{{Number: 1, ETag: "A"}}
	for name, c := range map[string]struct {
		call func() error
		want string
	}{
		"put with a bad option":      {func() error { _, err := o.Put(t.Context(), testKey, bodyOf("x"), bad); return err }, "ContentType"},
		"put of a negative size":     {func() error { _, err := o.Put(t.Context(), testKey, Body{Size: -1}, nil); return err }, "-1 bytes"},
		"initiate with a bad option": {func() error { _, err := o.Initiate(t.Context(), testKey, bad); return err }, "ContentType"},
		"part 0": {func() error {
			_, err := o.UploadPart(t.Context(), testKey, "U", 0, bodyOf("x"), nil)
			return err
		}, "part number 0"},
		"part 10,001": {func() error {
			_, err := o.UploadPart(t.Context(), testKey, "U", 10_001, bodyOf("x"), nil)
			return err
		}, "part number 10001"},
		"part without an upload":     {func() error { _, err := o.UploadPart(t.Context(), testKey, "", 1, bodyOf("x"), nil); return err }, "upload ID is empty"},
		"list without an upload":     {func() error { _, err := o.ListParts(t.Context(), testKey, ""); return err }, "upload ID is empty"},
		"abort without an upload":    {func() error { return o.Abort(t.Context(), testKey, "") }, "upload ID is empty"},
		"complete without an upload": {func() error { _, err := o.Complete(t.Context(), testKey, "", one, nil); return err }, "upload ID is empty"},
		"complete without parts":     {func() error { _, err := o.Complete(t.Context(), testKey, "U", nil, nil); return err }, "0 parts"},
		"complete with part 0": {func() error {
			_, err := o.Complete(t.Context(), testKey, "U", []Part{{ETag: "A"}}, nil)
			return err
		}, "part number 0"},
		"complete with a part twice": {func() error {
			_, err := o.Complete(t.Context(), testKey, "U", []Part{one[0], one[0]}, nil)
			return err
		}, "part 1 is there twice"},
		"head without credentials": {func() error { _, err := o.Head(t.Context(), Snapshot{}); return err }, "AccessKeyID is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			e := wantError(t, c.call(), Permanent)
			if !strings.Contains(e.Error(), c.want) || e.Status != 0 {
				t.Errorf("got %q, want it to say %q", e, c.want)
			}
		})
	}
}

func TestHead(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Length", "123456789")
		h.Set("ETag", `"ab-2"`)
		h.Set("x-oss-hash-crc64ecma", "42")
		h.Set("x-oss-object-type", "Multipart")
		h.Set("Last-Modified", "Wed, 21 Oct 2026 07:28:00 GMT")
	}), nil)
	got, err := o.Head(t.Context(), testKey)
	want := ObjectInfo{
		Size: 123456789, ETag: "ab-2", CRC64: 42, HasCRC64: true, Type: "Multipart",
		LastModified: time.Date(2026, 10, 21, 7, 28, 0, 0, time.UTC),
	}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestRequestPayerOfTheTarget(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("x-oss-request-payer"); got != "requester" {
			t.Errorf("%s: got payer %q", r.Method, got)
		}
		w.Header().Set("ETag", "A")
		w.Header().Set("Content-Length", "0")
		w.Header().Set("x-oss-request-id", "R")
	}), nil)
	o.target.RequestPayer = true
	if _, err := o.Head(t.Context(), testKey); err != nil {
		t.Error(err)
	}
	if _, err := putPart(t.Context(), o, bodyOf("x")); err != nil {
		t.Error(err)
	}
}

func TestAnswerThatIsTooLong(t *testing.T) {
	o := newObject(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		b := make([]byte, 1<<20)
		for range 5 {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}), nil)
	_, err := o.Initiate(t.Context(), testKey, nil)
	if e := wantError(t, err, Retry); !strings.Contains(e.Error(), "longer than 4194304 bytes") {
		t.Errorf("got %v", e)
	}
}

func TestSourceThatEndsEarly(t *testing.T) {
	o := newObject(t, serve(t, accept), nil)
	_, err := putPart(t.Context(), o, Body{R: strings.NewReader("short"), Off: 2, Size: 1000})
	e := wantError(t, err, Permanent)
	if !errors.Is(e, io.ErrUnexpectedEOF) || !strings.Contains(e.Error(), "source ends at byte 5: want 1000 bytes from 2") {
		t.Errorf("got %v", e)
	}
}

type brokenSource struct{ err error }

func (s brokenSource) ReadAt(p []byte, off int64) (int, error) { return 0, s.err }

func TestSourceThatFails(t *testing.T) {
	o := newObject(t, serve(t, accept), nil)
	cause := errors.New("disk is gone")
	_, err := putPart(t.Context(), o, Body{R: brokenSource{cause}, Size: 1000})
	if e := wantError(t, err, Permanent); !errors.Is(e, cause) || e.Status != 0 {
		t.Errorf("got %v", e)
	}
}

// A server may list parts for ever: whatever it says, the requests are few.
func TestListPartsThatDoesNotEnd(t *testing.T) {
	part := func(n int) string {
		return fmt.Sprintf(`<Part><PartNumber>%d</PartNumber><ETag>"A"</ETag><Size>1</Size></Part>`, n)
	}
	for name, c := range map[string]struct {
		page     func(marker int) (parts string, next int)
		requests int
	}{
		"the same page again":               {func(int) (string, int) { return part(1), 1 }, 2},
		"no parts, and a marker that grows": {func(m int) (string, int) { return "", m + 1 }, 1},
		"no marker":                         {func(int) (string, int) { return part(1), 0 }, 1},
		"a negative marker":                 {func(int) (string, int) { return part(1), -5 }, 1},
		"a marker above 10,000":             {func(int) (string, int) { return part(1), maxPartNumber + 1 }, 1},
		"a marker before the last part":     {func(int) (string, int) { return part(1) + part(5), 3 }, 1},
		"a part above 10,000":               {func(int) (string, int) { return part(maxPartNumber + 1), maxPartNumber }, 1},
		"the last part, and more":           {func(int) (string, int) { return part(maxPartNumber), maxPartNumber }, 2},
		"parts out of order":                {func(int) (string, int) { return part(2) + part(1), 2 }, 1},
		"a part twice":                      {func(int) (string, int) { return part(1) + strings.Replace(part(1), "A", "B", 1), 1 }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for what, list := range map[string]func(o *Object) error{
				"ListParts": func(o *Object) error { _, err := o.ListParts(t.Context(), testKey, "U"); return err },
				"UploadState": func(o *Object) error {
					_, err := (Bucket{o}).UploadState(t.Context(), testKey, "in/a", "U")
					return err
				},
			} {
				requests := 0
				o := newObject(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
					requests++
					marker, _ := strconv.Atoi(r.URL.Query().Get("part-number-marker"))
					parts, next := c.page(marker)
					fmt.Fprintf(w, "<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>%d</NextPartNumberMarker>%s</ListPartsResult>", next, parts)
				}), nil)
				wantError(t, list(o), Retry)
				if requests != c.requests {
					t.Errorf("%s: %d requests, want %d", what, requests, c.requests)
				}
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	date := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return date.Add(d).Format(http.TimeFormat) }
	for name, c := range map[string]struct {
		date, after, delay string
		want               time.Duration
	}{
		"seconds":                          {at(0), "120", "", 2 * time.Minute},
		"a date, by the server's clock":    {at(0), at(90 * time.Second), "", 90 * time.Second},
		"a date of RFC 850":                {at(0), date.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), "", time.Minute},
		"a date, and no Date: ours counts": {"", at(time.Minute), "", time.Minute},
		"a date in the past":               {at(0), at(-time.Hour), "", 0},
		"a date of next year":              {at(0), at(365 * 24 * time.Hour), "", maxDelay},
		"a huge number":                    {at(0), "99999999999999999999999", "", maxDelay},
		"a large number":                   {at(0), "4000000000", "", maxDelay},
		"a negative number":                {at(0), "-5", "", 0},
		"no number":                        {at(0), "soon", "", 0},
		"a fraction":                       {at(0), "1.5", "", 0},
		"nothing":                          {at(0), "", "", 0},
		"OSS's own comes first":            {at(0), "120", "250", 250 * time.Millisecond},
		"unless it is none":                {at(0), "120", "-1", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			for k, v := range map[string]string{headerDate: c.date, headerRetryAfter: c.after, headerDelay: c.delay} {
				if v != "" {
					h.Set(k, v)
				}
			}
			a := answer{header: h, receivedAt: date}
			if c.date != "" {
				a.receivedAt = date.AddDate(3, 0, 0) // the machine's clock does not matter
			}
			if got := a.delay(); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
