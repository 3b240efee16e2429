package wire

import (
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/crc64"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// A server of net/http that has answered before the body had come keeps the connection for
// half a second: longer than goleak waits.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// testKey is a set of credentials that servers which do not look accept.
var testKey = Snapshot{Credentials: sts.Credentials{AccessKeyID: "key-id", AccessKeySecret: "key-secret"}, Generation: 1}

// testToken is temporary.
var testToken = Snapshot{
	Credentials: sts.Credentials{AccessKeyID: "STS.key-id", AccessKeySecret: "sts-secret", SecurityToken: "sts-token"},
	Generation:  7,
}

// newObject returns media/in/talk.mp4 at url.
func newObject(t testing.TB, url string, o *Options) *Object {
	t.Helper()
	if o == nil {
		o = &Options{}
	}
	c := NewClient(o)
	t.Cleanup(c.CloseIdle)
	e, err := target.ParseEndpoint(url)
	if err != nil {
		t.Fatal(err)
	}
	obj, err := c.Object(target.Target{Endpoint: e, Bucket: "media", Object: "in/talk.mp4"})
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

// serve starts a server that answers with h.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// data returns n bytes, not all alike.
func data(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return string(b)
}

// bodyOf returns the body that sends s.
func bodyOf(s string) Body { return Body{R: strings.NewReader(s), Size: int64(len(s))} }

// accept takes a part or object as OSS does.
func accept(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(b)))
	w.Header().Set("x-oss-hash-crc64ecma", fmt.Sprint(crc64.Update(0, b)))
	w.Header().Set("x-oss-request-id", "6556E3AED11E553933CCDEDF")
}

// refuse answers with an error of OSS.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("x-oss-request-id", "6556E3AED11E553933CCDEDF")
	w.Header().Set("x-oss-ec", "0001-00000001")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>%s</Code>
  <Message>%s</Message>
  <RequestId>6556E3AED11E553933CCDEDF</RequestId>
  <HostId>media.oss-cn-hangzhou.aliyuncs.com</HostId>
  <EC>0001-00000001</EC>
</Error>
`, code, message)
}

// putPart sends one part.
func putPart(ctx context.Context, o *Object, body Body) (Part, error) {
	return o.UploadPart(ctx, testKey, "UPLOAD", 7, body, nil)
}

// wantError returns err as *Error of the class.
func wantError(t testing.TB, err error, class Class) *Error {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("got %T %v, want an *Error of class %v", err, err, class)
	}
	if e.Class != class {
		t.Fatalf("got class %v, want %v: %v", e.Class, class, e)
	}
	return e
}

// quiet swallows what servers log about broken handshakes.
var quiet = log.New(io.Discard, "", 0)

// testStall is a StallTimeout that tests can wait for.
const testStall = 200 * time.Millisecond
