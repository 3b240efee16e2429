package osscallback

import (
	"errors"
	"net/http"

	"github.com/vodupload/vodupload/upload/internal/webhook"
)

// What a request is refused for. [Verifier.Handler] answers with the HTTP status behind
// each; for OSS each of them but 200 is a failed callback.
var (
	// ErrUnsigned is returned for a request that OSS has not sent: it is no POST, one of
	// the headers Authorization and X-Oss-Pub-Key-Url is missing, there twice or
	// unreadable, or the key is not on OSS's host. The status is 403.
	ErrUnsigned = errors.New("osscallback: the request is not signed by OSS")

	// ErrSignature is returned where path, query or body are not what was signed: somebody
	// has altered them, or a proxy has (see [Options.RequestURI]). The status is 403.
	ErrSignature = errors.New("osscallback: the signature does not match")

	// ErrToken is returned for a callback without a valid token, if [Options.Secrets] asks
	// for one. The status is 403.
	ErrToken = errors.New("osscallback: no valid token")

	// ErrKey is returned if the key to verify with cannot be had. The status is 503.
	ErrKey = errors.New("osscallback: no key")

	// ErrBody is returned for a body that cannot be read, or is neither a form nor a JSON
	// object. The status is 400.
	ErrBody = errors.New("osscallback: the body is not usable")

	// ErrTooLarge is returned for a body beyond [Options.MaxBody]. The status is 413.
	ErrTooLarge = errors.New("osscallback: the body is too large")
)

// refusalOf returns what the other side learns of an error of Verify: nothing that helps
// to forge a callback.
func refusalOf(err error) (status int, r webhook.Refusal) {
	switch {
	case errors.Is(err, ErrUnsigned):
		return http.StatusForbidden, webhook.Refusal{Code: "Unsigned", Message: "The request is not signed by OSS."}
	case errors.Is(err, ErrSignature):
		return http.StatusForbidden, webhook.Refusal{Code: "SignatureDoesNotMatch", Message: "The signature does not match."}
	case errors.Is(err, ErrToken):
		return http.StatusForbidden, webhook.Refusal{Code: "InvalidToken", Message: "The callback has no valid token."}
	case errors.Is(err, ErrKey):
		return http.StatusServiceUnavailable, webhook.Refusal{Code: "KeyUnavailable", Message: "The key to verify with cannot be had."}
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge, webhook.Refusal{Code: "RequestTooLarge", Message: "The body is too large."}
	}
	return http.StatusBadRequest, webhook.Refusal{Code: "InvalidBody", Message: "The body is not usable."}
}
