package vod

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/internal/webhook"
)

// patience is how long a notification may take here. How long VOD waits for the answer is
// not documented; OSS waits 5 seconds for that to its callbacks.
const patience = 4500 * time.Millisecond

// Handler returns a handler that verifies notifications and calls f with each. If f
// returns nil, VOD is answered with status 200, and otherwise with 500, so that it sends
// the notification again, up to three times in all; the log gets the error.
//
// The context of f ends 4.5 seconds after the request came. f is called from many
// goroutines, and may be called more than once for the same event. Let it return nil for
// types of events that it does not know.
func (v *Receiver) Handler(f func(ctx context.Context, e *Event) error) http.Handler {
	return v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, _ := EventFromContext(r.Context())
		if err := f(r.Context(), e); err != nil {
			v.opts.Logger.Error("vod: notification failed", "type", e.Type, "id", e.ID, "error", err)
			webhook.Refuse(w, http.StatusInternalServerError, webhook.Refusal{Code: "InternalError", Message: "The server's log says more."})
			return
		}
		_ = webhook.Answer(w, http.StatusOK, map[string]string{"Status": "OK"}, 1<<10) // never too long
	}))
}

// Middleware returns a handler that passes on to next what VOD has signed, and answers the
// rest. The request's context has the [Event], for [EventFromContext], and ends as that of
// [Receiver.Handler] does; the body can be read once more.
func (v *Receiver) Middleware(next http.Handler) http.Handler {
	g := webhook.Guard[Event]{
		Patience: patience, Verify: v.Verify, Refusal: notificationRefusal,
		Refused: "vod: notification refused", Logger: v.opts.Logger, Quiet: &v.quiet,
	}
	return g.Middleware(next)
}

// notificationRefusal returns what the other side learns of an error of Verify.
func notificationRefusal(err error) (status int, r webhook.Refusal) {
	switch {
	case errors.Is(err, ErrUnsigned):
		return http.StatusForbidden, webhook.Refusal{Code: "Unsigned", Message: "The notification is not signed by VOD."}
	case errors.Is(err, ErrStale):
		return http.StatusForbidden, webhook.Refusal{Code: "Stale", Message: "The notification is too old."}
	case errors.Is(err, webhook.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, webhook.Refusal{Code: "RequestTooLarge", Message: "The notification is too large."}
	}
	return http.StatusBadRequest, webhook.Refusal{Code: "InvalidEvent", Message: "The event cannot be read."}
}

// EventFromContext returns the event of the request whose context ctx is, behind
// [Receiver.Middleware].
func EventFromContext(ctx context.Context) (*Event, bool) { return webhook.Event[Event](ctx) }
