package osstest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

// post sends a callback to one address and returns the answer's body. The
// client may have gone meanwhile: OSS finishes what it has begun.
func (s *Server) post(req *request, cb *callback, u *url.URL, body []byte) ([]byte, *osserr.Error) {
	out, err := newCallbackRequest(req, cb, u, body)
	if err != nil {
		return nil, callbackError(err)
	}
	s.signCallback(out, body)
	ctx, cancel := context.WithTimeout(s.life, s.opts.CallbackTimeout)
	defer cancel()
	client := &http.Client{Transport: s.opts.CallbackTransport, CheckRedirect: dontFollow}
	resp, err := client.Do(out.WithContext(ctx))
	if err != nil {
		return nil, callbackError(err)
	}
	defer resp.Body.Close()
	return callbackAnswer(resp)
}

func dontFollow(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func callbackError(err error) *osserr.Error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return osserr.CallbackFailed("Cost too long time.")
	}
	return osserr.CallbackFailed("Error status : -1. OSS can not connect to your callbackUrl, please check it.")
}

// callbackAnswer returns the body of an answer that OSS would take: 200, of a
// known length, no longer than 1 MB, and JSON.
func callbackAnswer(resp *http.Response) ([]byte, *osserr.Error) {
	if resp.StatusCode != http.StatusOK {
		return nil, osserr.CallbackFailed(fmt.Sprintf("Error status : %d.", resp.StatusCode))
	}
	if resp.ContentLength < 0 || resp.ContentLength > maxCallbackAnswer {
		return nil, osserr.CallbackFailed("Error status : 400. User server return too long content-length value.")
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, callbackError(err)
	}
	if !json.Valid(answer) {
		return nil, osserr.CallbackFailed("Response body is not valid json format.")
	}
	return answer, nil
}

// signCallback sets the headers by which a callback can be verified.
func (s *Server) signCallback(out *http.Request, body []byte) {
	out.Header.Set("Authorization", base64.StdEncoding.EncodeToString(s.callbackKey.sign(out.URL, body)))
	out.Header.Set("X-Oss-Pub-Key-Url", base64.StdEncoding.EncodeToString([]byte("http://"+callbackKeyHost+callbackKeyPath)))
}

// CallbackKeys returns a transport that has the public key of the callbacks that the
// server sends, where OSS has its own: at gosspublic.alicdn.com, by http and https. It
// opens no connection, and answers 404 to all other requests. Package osscallback takes it
// in an [http.Client].
func (s *Server) CallbackKeys() http.RoundTripper { return &callbackKeys{&s.callbackKey} }

// callback notifies the client's server of a stored object, and answers the
// client with what that server says. It fails after the fact: the object stays.
func (s *Server) callback(w http.ResponseWriter, req *request, cb *callback, o *storage.Object) *osserr.Error {
	body := cb.body(req, o)
	var failure *osserr.Error
	for _, u := range cb.urls {
		var answer []byte
		if answer, failure = s.post(req, cb, u, body); failure == nil {
			s.writeBody(w, req, http.StatusOK, jsonType, answer)
			return nil
		}
	}
	return failure
}

// newCallbackRequest is the request that OSS makes.
func newCallbackRequest(req *request, cb *callback, u *url.URL, body []byte) (*http.Request, error) {
	out, err := http.NewRequest(http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header.Set("Content-Type", cb.BodyType)
	out.Header.Set("User-Agent", "aliyun-oss-callback")
	out.Header.Set("X-Oss-Bucket", req.bucket)
	out.Header.Set("X-Oss-Request-Id", req.id)
	out.Host = cmp.Or(cb.Host, u.Host)
	return out, nil
}
