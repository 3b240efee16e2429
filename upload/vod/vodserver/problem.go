package vodserver

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/vod"
)

// refuse answers a request with its error, which the log gets if it is not the user's.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, who appserver.Identity, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		h.opts.Logger.Error("nothing handed out", "identity", who.Name, "code", p.Code, "request_id", w.Header().Get("X-Request-Id"), "error", err)
	}
	h.gate.Refuse(w, r, who, p)
}

// problemOf returns what a user learns of an error.
func problemOf(err error) appserver.Problem {
	var param errParam
	var tooLarge *http.MaxBytesError
	var refusal *openapi.Error
	switch {
	case errors.Is(err, errNotFound):
		return appserver.Problem{Status: http.StatusNotFound, Code: "NotFound", Message: "There is nothing at this path."}
	case errors.As(err, &param), errors.Is(err, vod.ErrParameter):
		return appserver.Problem{Status: http.StatusBadRequest, Code: "InvalidParameter", Message: err.Error()}
	case errors.As(err, &tooLarge):
		return appserver.Problem{Status: http.StatusRequestEntityTooLarge, Code: "RequestTooLarge", Message: "The request's body is too large."}
	case errors.Is(err, ErrForbidden):
		return appserver.Problem{Status: http.StatusForbidden, Code: "Forbidden", Message: "This is not for this user."}
	case errors.Is(err, vod.ErrVideoNotFound):
		return appserver.Problem{Status: http.StatusNotFound, Code: "InvalidVideo.NotFound", Message: "The video does not exist."}
	case errors.Is(err, upload.ErrAnswerLost):
		return appserver.Problem{Status: http.StatusBadGateway, Code: "AnswerLost", Message: "It is not known whether something was made; the server's log says more."}
	case errors.Is(err, vod.ErrThrottled):
		return appserver.Problem{Status: http.StatusServiceUnavailable, Code: "Throttling", Message: "VOD is asked too often; try again later.", RetryAfter: time.Second}
	case errors.As(err, &refusal) && refusal.Code != "":
		return appserver.Problem{Status: http.StatusBadGateway, Code: refusal.Code, RequestID: refusal.RequestID, Message: "VOD refused the call; the server's log says more."}
	case errors.Is(err, context.DeadlineExceeded):
		return appserver.Problem{Status: http.StatusGatewayTimeout, Code: "Timeout", Message: "VOD did not answer in time."}
	}
	return appserver.Problem{Status: http.StatusInternalServerError, Code: "InternalError", Message: "The server's log says more under this request ID."}
}
