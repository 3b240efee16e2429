package osstest

import (
	"net/http/httptest"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest/internal/sign"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

const testRegion = "cn-hangzhou"

var testTarget = sign.Target{Bucket: "media", Key: "in/talk 1.mp4"}

// unsigned returns a request for testTarget that does not bear a signature.
func unsigned() *request {
	r := httptest.NewRequest("PUT", "/media/in/talk%201.mp4?partNumber=1&uploadId=77", nil)
	return &request{Request: r, bucket: testTarget.Bucket, key: testTarget.Key, start: testTime}
}

// authorized returns a request for testTarget with an Authorization header.
func authorized(header string) *request {
	req := unsigned()
	req.Header.Set("Date", httpTime(testTime))
	req.Header.Set("Authorization", header)
	return req
}

// signedBy returns a request for testTarget that a key has signed by version 1.
func signedBy(k Key) *request {
	req := authorized("")
	text := sign.StringToSignV1(req.Request, testTarget, req.URL.Query(), httpTime(testTime))
	req.Header.Set("Authorization", "OSS "+k.AccessKeyID+":"+sign.V1(k.AccessKeySecret, text))
	return req
}

// authenticator returns a server that has one bucket and one key.
func authenticator(opts Options) *Server {
	opts.Region = testRegion
	return &Server{
		opts: &opts, keys: newKeyring([]Key{longKey}, nil),
		buckets: map[string]*storage.Bucket{testTarget.Bucket: {}},
	}
}

func TestAuthenticateSetsPrincipal(t *testing.T) {
	s := authenticator(Options{})
	req := signedBy(longKey)
	if err := s.authenticate(req); err != nil {
		t.Fatalf("got %s %s", err.Code, err.Message)
	}
	if req.principal != longKey || req.anonymous() {
		t.Errorf("principal is %v, want %v", req.principal, longKey)
	}
	req = unsigned()
	if err := s.authenticate(req); err != nil || !req.anonymous() {
		t.Errorf("without a signature: got %v, anonymous %v", err, req.anonymous())
	}
}

func TestRefuseV1(t *testing.T) {
	s := authenticator(Options{RefuseV1: true})
	inURL := unsigned()
	inURL.URL.RawQuery += "&OSSAccessKeyId=ak&Expires=1&Signature=x"
	for name, test := range map[string]struct {
		req  *request
		want string // code and EC
	}{
		"version 1 in the header": {signedBy(longKey), "AccessDenied 0002-00000080"},
		"version 1 in the URL":    {inURL, "AccessDenied 0002-00000080"},
		"version 4 is read":       {authorized("OSS4-HMAC-SHA256 Credential=x"), "InvalidArgument 0002-00000202"},
		"without a signature":     {unsigned(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := s.authenticate(test.req); err != nil {
				got = err.Code + " " + err.EC
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
