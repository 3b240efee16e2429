package sts

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/vodupload/vodupload/sts/internal/roundtrip"
	"github.com/vodupload/vodupload/sts/openapi"
)

// ErrPermanent is wrapped by errors of a [Provider] that will not pass by themselves: it
// would be asked in vain however often. A Provider of yours wraps it to say so.
var ErrPermanent = errors.New("sts: asking again will not help")

// Permanent reports whether the error of a [Provider] is one that does not pass by itself:
// the answer was 401, 403 or 404; an answer of success could not be read; nothing is
// configured; or the error is, or wraps, [ErrPermanent]. It returns false for errors of
// the network, an answer that broke off among them, for answers that ask for a pause, for those of a status from 500 on, and
// for all that nothing is known about.
//
// A client of this module asks again a few times, for about 4 seconds, since a server
// that is being restarted may answer like that, too. Then it fails what waits for the
// credentials. It does not ask again after [ErrInvalidCredentials].
func Permanent(err error) bool {
	var app *AppServerError
	if errors.As(err, &app) {
		return app.RetryAfter == 0 && permanentAnswer(app.Status, app.Code, app.Err)
	}
	var api *openapi.Error
	if errors.As(err, &api) {
		return permanentAnswer(api.Status, api.Code, api.Err)
	}
	return isOneOf(err, ErrPermanent, ErrInvalidCredentials, ErrNotConfigured, ErrAnswer)
}

func isOneOf(err error, kinds ...error) bool {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// permanentAnswer goes by an answer's status, and by its code where that says that too
// much was asked: services do that with several statuses.
func permanentAnswer(status int, code string, unreadable error) bool {
	switch {
	case strings.HasPrefix(code, "Throttling"):
		return false
	case permanentStatus(status):
		return true
	}
	return status/100 == 2 && unreadable != nil && !errors.Is(unreadable, roundtrip.ErrBroken)
}

func permanentStatus(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound
}

// errStatus is an error about an answer's status.
func errStatus(status int, format string, args ...any) error {
	if permanentStatus(status) {
		return kindf(ErrPermanent, format, args...)
	}
	return fmt.Errorf(format, args...)
}
