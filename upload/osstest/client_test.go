package osstest

import (
	"bytes"
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

// A testClient signs its calls to a server. Its paths are in path style, as
// they stand in a URL.
type testClient struct {
	t   testing.TB
	s   *Server
	url string
	key Key
	now func() time.Time
	*http.Client
}

// newTestServer starts a server with the bucket media, and a client of it.
func newTestServer(t *testing.T, opts *Options) (*Server, *testClient) {
	t.Helper()
	if opts == nil {
		opts = &Options{}
	}
	opts.Buckets = append(opts.Buckets, "media")
	s := NewServer(opts)
	t.Cleanup(s.Close)
	return s, newTestClient(t, s)
}

func newTestClient(t *testing.T, s *Server) *testClient {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &testClient{t: t, s: s, url: s.URL, key: DefaultKey, now: s.opts.Now, Client: &http.Client{Transport: transport}}
}

// A testAnswer is an answer, read to its end.
type testAnswer struct {
	status int
	http.Header
	body string
	testError
}

// A testError is an error of OSS as a client reads it.
type testError struct {
	XMLName      xml.Name `xml:"Error"`
	Code         string
	Message      string
	RequestID    string `xml:"RequestId"`
	HostID       string `xml:"HostId"`
	EC           string
	RecommendDoc string
	Fields       []struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	} `xml:",any"`
}

func (e testError) field(name string) string {
	for _, f := range e.Fields {
		if f.XMLName.Local == name {
			return f.Value
		}
	}
	return ""
}

// request returns a signed request. The header is a list of names and values.
// A body that is no string, nor empty, comes in chunks.
func (c *testClient) request(method, path string, body io.Reader, header ...string) *http.Request {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	c.sign(r)
	return r
}

func (c *testClient) sign(r *http.Request) {
	date := httpTime(c.now())
	r.Header.Set("Date", date)
	var t sign.Target
	t.Bucket, t.Key = c.s.address(r)
	text := sign.StringToSignV1(r, t, r.URL.Query(), date)
	r.Header.Set("Authorization", "OSS "+c.key.AccessKeyID+":"+sign.V1(c.key.AccessKeySecret, text))
}

// do makes a call and returns its answer.
func (c *testClient) do(method, path, body string, header ...string) *testAnswer {
	c.t.Helper()
	return c.send(c.request(method, path, strings.NewReader(body), header...))
}

func (c *testClient) send(r *http.Request) *testAnswer {
	c.t.Helper()
	a, err := c.try(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return a
}

// try is send for calls that may fail below HTTP, and for other goroutines than
// the test's.
func (c *testClient) try(r *http.Request) (*testAnswer, error) {
	resp, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	a := &testAnswer{status: resp.StatusCode, Header: resp.Header, body: string(body)}
	text := body
	if coded := resp.Header.Get("X-Oss-Err"); coded != "" {
		text, _ = base64.StdEncoding.DecodeString(coded)
	}
	if bytes.Contains(text, []byte("<Error>")) {
		if err := xml.Unmarshal(text, &a.testError); err != nil {
			return nil, fmt.Errorf("unreadable error %q: %w", text, err)
		}
	}
	return a, nil
}

// good makes a call that must succeed.
func (c *testClient) good(method, path, body string, header ...string) *testAnswer {
	c.t.Helper()
	a := c.do(method, path, body, header...)
	if a.status/100 != 2 || a.Code != "" {
		c.t.Fatalf("%s %s: got %d %s; want success\n%s", method, path, a.status, a.Code, a.body)
	}
	return a
}

// refused makes a call that must be answered with an error.
func (c *testClient) refused(status int, code, method, path, body string, header ...string) *testAnswer {
	c.t.Helper()
	a := c.do(method, path, body, header...)
	if a.status != status || a.Code != code {
		c.t.Fatalf("%s %s: got %d %q; want %d %q\n%s", method, path, a.status, a.Code, status, code, a.body)
	}
	return a
}

// initiate begins an upload and returns its ID.
func (c *testClient) initiate(path string, header ...string) string {
	c.t.Helper()
	var result initiateResult
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	c.read(c.good("POST", path+sep+"uploads", "", header...), &result)
	return result.UploadID
}

// part uploads a part and returns its ETag, with quotes.
func (c *testClient) part(path, id string, number int, body string) string {
	c.t.Helper()
	return c.good("PUT", fmt.Sprintf("%s?partNumber=%d&uploadId=%s", path, number, id), body).Get("Etag")
}

// complete completes an upload with the given parts: number, ETag, number, ...
func (c *testClient) complete(path, id string, parts ...any) *testAnswer {
	c.t.Helper()
	return c.good("POST", path+"?uploadId="+id, partList(parts...))
}

func partList(parts ...any) string {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i := 0; i < len(parts); i += 2 {
		fmt.Fprintf(&b, "<Part><PartNumber>%v</PartNumber><ETag>%v</ETag></Part>", parts[i], parts[i+1])
	}
	b.WriteString("</CompleteMultipartUpload>")
	return b.String()
}

// read decodes an answer's XML.
func (c *testClient) read(a *testAnswer, v any) {
	c.t.Helper()
	if err := xml.Unmarshal([]byte(a.body), v); err != nil {
		c.t.Fatalf("%v in %q", err, a.body)
	}
}

// stored returns an object's bytes by way of the server's own methods.
func stored(t *testing.T, s *Server, bucket, key string) string {
	t.Helper()
	o, ok := s.Object(bucket, key)
	if !ok {
		t.Fatalf("there is no object %s/%s", bucket, key)
	}
	r, err := o.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != o.Size {
		t.Fatalf("object %s/%s has %d bytes, and its size is %d", bucket, key, len(b), o.Size)
	}
	return string(b)
}

// letters returns n bytes, different at different places.
func letters(n int) string {
	b := make([]byte, n)
	x := uint32(n) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = 'a' + byte(x>>24)%26
	}
	return string(b)
}

// bothModes runs a test with a server in memory and with one in a directory.
func bothModes(t *testing.T, test func(t *testing.T, opts *Options)) {
	t.Run("in memory", func(t *testing.T) { test(t, &Options{}) })
	t.Run("in a directory", func(t *testing.T) { test(t, &Options{Dir: t.TempDir()}) })
}
