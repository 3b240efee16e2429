package osscallback

import (
	"bytes"
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ossKey is the public key that OSS signs callbacks with.
const ossKey = `-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs
C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==
-----END PUBLIC KEY-----
`

// signingKey is a key of the tests.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return k
})

func pemOf(public any) []byte {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func inBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

const theKeyURL = "http://" + keyHost + "/" + documentedKey

// newCallback is a callback for the path and query of uri, signed by the key of the tests.
func newCallback(uri, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://app.example.com"+uri, strings.NewReader(body))
	r.RequestURI = uri
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	digest, err := digestOf(uri, []byte(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", sign(digest))
	r.Header.Set("X-Oss-Pub-Key-Url", inBase64(theKeyURL))
	return r
}

func sign(digest [md5.Size]byte) string {
	s, err := rsa.SignPKCS1v15(nil, signingKey(), crypto.MD5, digest[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(s)
}

// A keyServer answers requests for keys.
type keyServer func(*http.Request) (*http.Response, error)

func (f keyServer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1}
}

// theKey serves the key of the tests.
var theKey = keyServer(func(r *http.Request) (*http.Response, error) {
	return answer(http.StatusOK, pemOf(&signingKey().PublicKey)), nil
})

func newVerifier(t *testing.T, o Options) *Verifier {
	t.Helper()
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: theKey}
	}
	v, err := New(&o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
