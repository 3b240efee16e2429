package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		fault      *osstest.Fault
	}{
		{"no right to put", "allow oss:PutObject for this object", osstest.Fail(osstest.OpInitiateMultipartUpload, 403, "AccessDenied")},
		{"no such bucket", "check the bucket's name", osstest.Fail(osstest.OpInitiateMultipartUpload, 404, "NoSuchBucket")},
		{"a public endpoint", "Options.CustomDomains", osstest.Fail(osstest.OpInitiateMultipartUpload, 400, "PublicEndpointForbidden")},
		{"an object under a retention policy", "another one", osstest.Fail(osstest.OpCompleteMultipartUpload, 409, "FileImmutable")},
		{"a proxy that wants a login", "a user name and a password", osstest.Fail(osstest.OpInitiateMultipartUpload, 407, "ProxyAuthenticationRequired")},
		{"a wrong secret", "the access key's secret", osstest.Fail(osstest.OpUploadPart, 403, "SignatureDoesNotMatch")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestbed(t)
			b.server.Inject(tt.fault)
			_, err := b.client().Upload(b.ctx, b.bytesOf("a", 300*kib))
			var e *upload.Error
			if !errors.As(err, &e) || e.Code == "" || e.RequestID == "" {
				t.Fatalf("got %v, want the code, the request ID and what to do", err)
			}
			if !strings.Contains(e.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

// refusing is a server that refuses each request with an XML error of more elements.
func refusing(t *testing.T, status int, code, more string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("X-Oss-Request-Id", "R1")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>It says no.</Message><RequestId>R1</RequestId>%s</Error>", code, more)
	})
}

// What to do is decided by the values of the answer, whatever the names of files,
// buckets and messages have in them.
func TestAdviceGoesByValues(t *testing.T) {
	const policy = "has to allow oss:PutObject"
	for _, tt := range []struct {
		name, code, more string
		object           string
		want, not        string
	}{
		{"names the endpoint of another region's bucket", "AccessDenied", "<Bucket>b-1</Bucket><EC>0003-00001403</EC><Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>", "in/a", "use oss-cn-beijing.aliyuncs.com", policy},
		{"takes the bucket off the endpoint", "AccessDenied", "<Endpoint>b-1.oss-cn-beijing.aliyuncs.com</Endpoint>", "in/a", "use oss-cn-beijing.aliyuncs.com", "use b-1."},
		{"passes on no text that is not a host", "AccessDenied", "<Endpoint>go to http://evil.example/?x=1 now</Endpoint>", "in/a", policy, "evil"},
		{"passes on no characters of another direction", "AccessDenied", "<Endpoint>&#x202e;oss.example</Endpoint>", "in/a", policy, "oss.example"},
		{"is not hidden by an object called endpoint", "AccessDenied", "", "in/endpoint.mp4", policy, "another endpoint"},
		{"is not hidden by an object called as the code", "SignatureDoesNotMatch", "", "in/SignatureDoesNotMatch", "403 SignatureDoesNotMatch: It says no.", "AccessDenied"},
		{"V1 refused", "AccessDenied", "<EC>0002-00000080</EC>", "in/a", "set Options.Region", "policy"},
		{"signed for another region", "InvalidArgument", "<EC>0002-00000226</EC>", "in/a", "set Options.Region", "policy"},
		{"signed for another region, in the URL", "InvalidArgument", "<EC>0002-00000228</EC>", "in/a", "set Options.Region", "policy"},
		{"signed on another day", "InvalidArgument", "<EC>0002-00000212</EC>", "in/a", "set the clock of this machine", "Options.Region"},
		{"another wrong argument", "InvalidArgument", "<EC>0002-00000213</EC>", "in/a", "InvalidArgument", "set "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestbed(t)
			f := b.bytesOf("a", 10)
			f.Endpoint, f.Bucket, f.Object = refusing(t, 403, tt.code, tt.more), "b-1", tt.object
			_, err := b.client().Upload(b.ctx, f)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), tt.not) {
				t.Errorf("got  %v\nwant %q in it, and not %q", err, tt.want, tt.not)
			}
		})
	}
}

// Bucket, object, upload ID, code and request ID stand in the line once each.
func TestErrorNamesEachFactOnce(t *testing.T) {
	b := newTestbed(t)
	b.server.Inject(osstest.Fail(osstest.OpUploadPart, 403, "AccessDenied"))
	_, err := b.client().Upload(b.ctx, b.bytesOf("in/talk.mp4", 300*kib))
	var e *upload.Error
	if !errors.As(err, &e) || e.UploadID == "" || e.RequestID == "" || e.Part == 0 {
		t.Fatalf("got %+v, want the upload ID, the request ID and the part", e)
	}
	for _, once := range []string{e.Bucket + "/" + e.Object, e.UploadID, e.RequestID, e.Code, e.Op, "part "} {
		if n := strings.Count(err.Error(), once); n != 1 {
			t.Errorf("%q stands %d times in\n%v", once, n, err)
		}
	}
}

func TestSentinelsNameTheirPackage(t *testing.T) {
	for _, err := range []error{
		upload.ErrMissingArgument, upload.ErrInvalidArgument, upload.ErrFileNotExist, upload.ErrFileAlreadyExist, upload.ErrState,
		upload.ErrClosed, upload.ErrFileChanged, upload.ErrInUse, upload.ErrIntegrity, upload.ErrCheckpoint, upload.ErrTokenExpired,
		upload.ErrNoCredentials, upload.ErrNoDestination, upload.ErrAnswerLost, upload.ErrNotRenewable, upload.ErrStopped, upload.ErrCanceled,
	} {
		if !strings.HasPrefix(err.Error(), "upload: ") {
			t.Errorf("%q does not begin with the package's name", err)
		}
	}
}

func TestAdviceOnConnections(t *testing.T) {
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	dial := func(err error) *http.Client {
		return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}}}
	}
	behind := func(proxy string) *http.Client {
		return &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(must(url.Parse(proxy)))}}
	}
	for _, tt := range []struct {
		name, endpoint string
		client         *http.Client
		want           string // empty: no advice
	}{
		{"a certificate that nobody vouches for", secure.URL, nil, "check the endpoint and this machine's clock"},
		{"a name that is not there", "http://oss-cn-hangzhuo.example", dial(&net.DNSError{Err: "no such host", IsNotFound: true}), "check the endpoint, and the bucket's name"},
		{"a proxy that is not there", "https://oss.example", behind("http://127.0.0.1:1"), "check the proxy"},
		{"a name server that fails", "http://oss.example", dial(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), ""},
		{"a refused connection", "http://oss.example", dial(syscall.ECONNREFUSED), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newTestbed(t)
			b.opts.HTTPClient, b.opts.RetryCount = tt.client, -1
			f := b.bytesOf("a", 10)
			f.Endpoint = tt.endpoint
			_, err := b.client().Upload(b.ctx, f)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.want == "" && strings.Contains(err.Error(), "; check") {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}
