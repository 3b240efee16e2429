package osscallback

import (
	"context"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/internal/webhook"
)

// patience is how long a callback may take here. OSS waits 5 seconds for the answer (OSS
// documentation, Callback), of which the way takes some.
const patience = 4500 * time.Millisecond

// maxAnswer is how long an answer OSS takes, in bytes (OSS documentation, Callback).
const maxAnswer = 1 << 20

// Handler returns a handler that verifies callbacks and calls f with each. What f returns
// is answered in JSON and becomes the CallbackBody of the uploader's Result; nil is
// answered as {"Status":"OK"}. If f returns an error, which only the log gets, the
// callback has failed: so has the upload, for the uploader, though the object is stored.
//
// The context of f ends 4.5 seconds after the request came, since OSS waits for 5. What
// takes longer has to continue after f has returned, with a context of its own. f is
// called from many goroutines, and may be called more than once for the same object.
func (v *Verifier) Handler(f func(ctx context.Context, e *Event) (answer any, err error)) http.Handler {
	return v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, _ := FromContext(r.Context())
		answer, err := f(r.Context(), e)
		if err == nil {
			if answer == nil {
				answer = map[string]string{"Status": "OK"}
			}
			err = webhook.Answer(w, http.StatusOK, answer, maxAnswer)
		}
		if err != nil {
			v.opts.Logger.Error("upload callback failed", "bucket", e.Bucket, "object", e.Object, "request_id", e.RequestID, "error", err)
			webhook.Refuse(w, http.StatusInternalServerError, webhook.Refusal{Code: "InternalError", Message: "The server's log says more."})
		}
	}))
}

// Middleware returns a handler that passes on to next what OSS has signed, and answers the
// rest. The request's context has the [Event], for [FromContext], and ends as that of
// [Verifier.Handler] does; the body can be read once more. next has to answer with status
// 200, JSON and Content-Length.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	g := webhook.Guard[Event]{
		Patience: patience, Verify: v.Verify, Refusal: refusalOf,
		Refused: "upload callback refused", Logger: v.opts.Logger, Quiet: &v.quiet,
	}
	return g.Middleware(next)
}

// FromContext returns the event of the request whose context ctx is, behind
// [Verifier.Middleware].
func FromContext(ctx context.Context) (*Event, bool) { return webhook.Event[Event](ctx) }
