package osstest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/sign"
)

// A faultTest is a server with a client that signs, and with things to work on:
// a bucket, an object and an upload with one part.
type faultTest struct {
	*Server
	t        *testing.T
	key      Key
	client   *http.Client
	uploadID string
	etag     string        // of part 1
	clock    time.Duration // how far the client's clock is off
}

// A reply is an answer, read to its end as far as there was one.
type reply struct {
	status int
	header http.Header
	body   string
	code   string // of an error
	err    error  // of the call, or of reading the body
}

const faultPart = "the bytes of a part"

func newFaultTest(t *testing.T, opts *Options) *faultTest {
	t.Helper()
	if opts == nil {
		opts = &Options{}
	}
	opts.Buckets = append(opts.Buckets, "media")
	s := NewServer(opts)
	transport := &http.Transport{DisableCompression: true}
	f := &faultTest{Server: s, t: t, key: DefaultKey, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if len(opts.Keys) > 0 {
		f.key = opts.Keys[0]
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		s.Close()
	})
	f.restore()
	return f
}

// restore makes the things to work on, as far as they are missing, and forgets
// the calls that this takes.
func (f *faultTest) restore() {
	f.t.Helper()
	f.good("PUT", "/media/object", "object bytes")
	r := f.good("POST", "/media/object?uploads", "")
	var initiated struct{ UploadId string }
	if err := xml.Unmarshal([]byte(r.body), &initiated); err != nil {
		f.t.Fatal(err)
	}
	f.uploadID = initiated.UploadId
	f.etag = f.good("PUT", f.part(1), faultPart).header.Get("ETag")
	if err := f.WaitIdle(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	f.ResetRequests()
}

func (f *faultTest) part(n int) string {
	return fmt.Sprintf("/media/object?partNumber=%d&uploadId=%s", n, f.uploadID)
}

// good makes a call that must succeed.
func (f *faultTest) good(method, path, body string) reply {
	f.t.Helper()
	r := f.do(method, path, body)
	if r.err != nil || r.status/100 != 2 {
		f.t.Fatalf("%s %s: %d %s, %v; want success\n%s", method, path, r.status, r.code, r.err, r.body)
	}
	return r
}

func (f *faultTest) do(method, path, body string, header ...string) reply {
	f.t.Helper()
	return f.doContext(f.t.Context(), method, path, strings.NewReader(body), header...)
}

func (f *faultTest) doContext(ctx context.Context, method, path string, body io.Reader, header ...string) reply {
	r := f.request(ctx, method, path, body, header...)
	answer, err := f.client.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	out := reply{status: answer.StatusCode, header: answer.Header, body: string(text), err: err}
	var e struct{ Code string }
	if coded := answer.Header.Get("X-Oss-Err"); coded != "" {
		text, _ = base64.StdEncoding.DecodeString(coded)
	}
	if xml.Unmarshal(text, &e) == nil {
		out.code = e.Code
	}
	return out
}

// request makes a signed request.
func (f *faultTest) request(ctx context.Context, method, path string, body io.Reader, header ...string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, method, f.URL+path, body)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if f.key.SecurityToken != "" {
		r.Header.Set("X-Oss-Security-Token", f.key.SecurityToken)
	}
	date := httpTime(time.Now().Add(f.clock))
	r.Header.Set("Date", date)
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	text := sign.StringToSignV1(r, sign.Target{Bucket: bucket, Key: key}, r.URL.Query(), date)
	r.Header.Set("Authorization", "OSS "+f.key.AccessKeyID+":"+sign.V1(f.key.AccessKeySecret, text))
	return r
}

// parts returns the numbers of the parts that the server has.
func (f *faultTest) parts() string {
	f.t.Helper()
	f.ClearFaults()
	r := f.good("GET", "/media/object?uploadId="+f.uploadID, "")
	var list struct{ Part []struct{ PartNumber int } }
	if err := xml.Unmarshal([]byte(r.body), &list); err != nil {
		f.t.Fatal(err)
	}
	var numbers []int
	for _, p := range list.Part {
		numbers = append(numbers, p.PartNumber)
	}
	return fmt.Sprint(numbers)
}

// zeros is a body of n bytes that are not in memory.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// calls returns, for each operation, a call that succeeds after restore.
func (f *faultTest) calls() map[Op]func(context.Context) reply {
	call := func(method, path, body string, header ...string) func(context.Context) reply {
		return func(ctx context.Context) reply {
			return f.doContext(ctx, method, path, bytes.NewReader([]byte(body)), header...)
		}
	}
	upload := "/media/object?uploadId=" + f.uploadID
	complete := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + f.etag + "</ETag></Part></CompleteMultipartUpload>"
	return map[Op]func(context.Context) reply{
		OpListBuckets:             call("GET", "/", ""),
		OpPutBucket:               call("PUT", "/media", ""),
		OpGetBucketInfo:           call("GET", "/media?bucketInfo", ""),
		OpGetBucketLocation:       call("GET", "/media?location", ""),
		OpListObjects:             call("GET", "/media", ""),
		OpListMultipartUploads:    call("GET", "/media?uploads", ""),
		OpPutObject:               call("PUT", "/media/other", strings.Repeat("p", 4000)),
		OpGetObject:               call("GET", "/media/object", ""),
		OpHeadObject:              call("HEAD", "/media/object", ""),
		OpDeleteObject:            call("DELETE", "/media/object", ""),
		OpInitiateMultipartUpload: call("POST", "/media/object?uploads", ""),
		OpUploadPart:              call("PUT", f.part(2), strings.Repeat("p", 4000)),
		OpUploadPartCopy:          call("PUT", f.part(3), "", "x-oss-copy-source", "/media/object"),
		OpCompleteMultipartUpload: call("POST", upload, complete),
		OpAbortMultipartUpload:    call("DELETE", upload, ""),
		OpListParts:               call("GET", upload, ""),
	}
}
