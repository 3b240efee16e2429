package appserver

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
)

// A problem is what a client learns about an error: nothing that is only the
// operator's business.
type problem struct {
	status     int // HTTP status
	code       string
	message    string
	requestID  string // of STS, or else ours
	retryAfter time.Duration
	token      bool // it is about the token, not about the request
}

// none reports whether there is no problem.
func (p problem) none() bool { return p.code == "" }

// The problems of a request that is not served.
var (
	problemNotFound      = problem{status: http.StatusNotFound, code: "NotFound", message: "There is nothing at this path."}
	problemTooLarge      = problem{status: http.StatusRequestEntityTooLarge, code: "RequestTooLarge", message: "The request's body is too large."}
	problemRate          = problem{status: http.StatusTooManyRequests, code: "Throttling", message: "Too many requests; try again later.", retryAfter: time.Second}
	problemHost          = problem{status: http.StatusForbidden, code: "HostNotAllowed", message: "This server does not serve this host name; its owner can allow it."}
	problemOrigin        = problem{status: http.StatusForbidden, code: "OriginNotAllowed", message: "Pages of this origin are not allowed to ask."}
	problemAuthenticate  = problem{status: http.StatusUnauthorized, code: "Unauthenticated", message: "The request has no valid credentials."}
	problemForbidden     = problem{status: http.StatusForbidden, code: "Forbidden", message: "No token for this client."}
	problemNotLocal      = problem{status: http.StatusForbidden, code: "Forbidden", message: "This server serves its own machine only."}
	problemInternal      = problem{status: http.StatusInternalServerError, code: "InternalError", message: "The server's log says more under this request ID.", token: true}
	problemShuttingDown  = problem{status: http.StatusServiceUnavailable, code: "ShuttingDown", message: "The server is shutting down.", token: true}
	problemSTSTimeout    = problem{status: http.StatusGatewayTimeout, code: "Timeout", message: "STS did not answer in time.", token: true}
	problemSTSAway       = problem{status: http.StatusServiceUnavailable, code: "ServiceUnavailable", message: "STS cannot be reached.", token: true}
	problemSTSUnreadable = problem{status: http.StatusBadGateway, code: "BadAnswer", message: "STS gave an answer that cannot be used.", token: true}
)

// problemOf returns what a client learns about an error of getting a token.
func problemOf(err error) problem {
	p := classify(err)
	p.token = true
	var renew *sts.RenewError
	if errors.As(err, &renew) {
		p.retryAfter = max(0, time.Until(renew.RetryAt))
	}
	return p
}

func classify(err error) problem {
	var refusal *openapi.Error
	switch {
	case errors.As(err, &refusal) && refusal.Code != "":
		return refused(refusal)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problemSTSTimeout
	case refusal != nil, errors.Is(err, sts.ErrAnswer), errors.Is(err, sts.ErrExpired):
		return problemSTSUnreadable
	case errors.Is(err, sts.ErrClosed):
		return problemShuttingDown
	}
	return problemSTSAway
}

// refused passes on the code of STS and its request ID, but the message only in our
// own words: that of STS has role, policy and more in it.
func refused(e *openapi.Error) problem {
	p := problem{status: http.StatusInternalServerError, code: e.Code, requestID: e.RequestID,
		message: "STS refused to issue a token; the server's log says more under this request ID."}
	if e.Throttled() {
		p.status = http.StatusServiceUnavailable
		p.message = "STS is asked too often; try again later."
	}
	return p
}
