package osstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
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

// hostOf returns the host of an address that has a port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
