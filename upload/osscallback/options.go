package osscallback

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Options are the optional settings of a [Verifier].
type Options struct {
	// Secrets are those that tokens are made with (see [Token]): a callback without the
	// token of one of them is [ErrToken]. To change the secret, have the old and the new
	// one here for as long as tokens of the old one count. Each has 16 random bytes or
	// more. The default is none: whatever OSS sends on behalf of whomever is verified.
	Secrets [][]byte

	// RequestURI returns path and query of a request as OSS has sent them, which is what
	// it signs. Behind a proxy that changes the path, it undoes that. The default is
	// Request.RequestURI, which http.StripPrefix and routers leave as it came.
	RequestURI func(*http.Request) string

	// MaxBody bounds a callback's body, in bytes. The default is 64 KiB.
	MaxBody int64

	// HTTPClient fetches OSS's keys; its Timeout, cookies and rule for redirects are not
	// used. The default is a client with [http.DefaultTransport].
	HTTPClient *http.Client

	// KeyTimeout ends the fetch of a key. The default is 3 seconds: OSS waits 5 for the
	// answer to a callback.
	KeyTimeout time.Duration

	// KeyLife is how long a key is used before it is fetched again. If that fails, the one
	// that is there is used for up to 24 times as long. The default is one hour.
	KeyLife time.Duration

	// Logger gets the requests that [Verifier.Handler] and [Verifier.Middleware] refuse,
	// one a second at most, without secrets. The default is silent.
	Logger *slog.Logger
}

func (o *Options) resolved() (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	for i, s := range r.Secrets {
		if len(s) < minSecret {
			return r, fmt.Errorf("osscallback: Secrets[%d] has %d bytes, want %d random ones or more", i, len(s), minSecret)
		}
	}
	for _, n := range []struct {
		option string
		value  int64
	}{{"MaxBody", r.MaxBody}, {"KeyTimeout", int64(r.KeyTimeout)}, {"KeyLife", int64(r.KeyLife)}} {
		if n.value < 0 {
			return r, fmt.Errorf("osscallback: %s is negative", n.option)
		}
	}
	if r.RequestURI == nil {
		r.RequestURI = requestURI
	}
	if r.MaxBody == 0 {
		r.MaxBody = 64 << 10
	}
	if r.KeyTimeout == 0 {
		r.KeyTimeout = 3 * time.Second
	}
	if r.KeyLife == 0 {
		r.KeyLife = time.Hour
	}
	if r.Logger == nil {
		r.Logger = slog.New(slog.DiscardHandler)
	}
	return r, nil
}

// Format writes the options without their secrets, whatever the verb.
func (o Options) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "osscallback.Options(%d secrets, MaxBody %d, KeyTimeout %v, KeyLife %v)", len(o.Secrets), o.MaxBody, o.KeyTimeout, o.KeyLife)
}
