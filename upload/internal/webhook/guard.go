package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// A Guard says how requests are verified before a handler gets them. All its fields are
// required.
type Guard[E any] struct {
	Patience time.Duration                             // for the whole request
	Verify   func(*http.Request) (*E, error)           // returns the event of a request
	Refusal  func(error) (status int, refusal Refusal) // of an error of Verify
	Refused  string                                    // the log's line about one
	Logger   *slog.Logger
	Quiet    *Sampler // of these lines
}

// Middleware returns a handler that passes on to next what Verify accepts, and answers
// the rest. The request's context ends after Patience, and has the event, for [Event].
func (g *Guard[E]) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), g.Patience)
		defer cancel()
		r = r.WithContext(ctx)
		calm := Hurry(w, g.Patience)
		e, err := g.Verify(r)
		if err != nil {
			status, refusal := g.Refusal(err)
			if skipped, due := g.Quiet.Sample(time.Now()); due {
				g.Logger.Warn(g.Refused, "code", refusal.Code, "status", status, "remote", r.RemoteAddr, "error", err, "not_logged", skipped)
			}
			Refuse(w, status, refusal)
			return
		}
		calm()
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, eventKey[E]{}, e)))
	})
}

type eventKey[E any] struct{}

// Event returns the event of the request whose context ctx is, behind [Guard.Middleware].
func Event[E any](ctx context.Context) (*E, bool) {
	e, ok := ctx.Value(eventKey[E]{}).(*E)
	return e, ok
}
