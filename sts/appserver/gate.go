package appserver

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Gate admits requests to handlers of other things than tokens by the rules of this
// package: who asks, from which page, under which host name, how often and with how much.
// [Handler.Gate] is that of a token server, so that requests to both count against one
// limit; [NewGate] makes one by itself. It is safe for concurrent use.
type Gate struct {
	opts  Options
	asks  *limiter // by identity, or by address for those who have none
	fails *limiter // by address
	quiet sampler
}

// NewGate returns a gate. Of the options it uses Authenticate, AllowAnyone, Origins,
// AllowHeaders, Hosts, Proxies, Rate, MaxBody and Logger; the error says what is wrong
// with them.
func NewGate(opts *Options) (*Gate, error) {
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	return newGate(o), nil
}

func newGate(o Options) *Gate {
	if o.Authenticate == nil && !o.AllowAnyone {
		o.Logger.Warn("nothing says who may ask: whatever reaches this server by way of this machine gets tokens, " +
			"and a reverse proxy or a tunnel on it lets everybody in without showing; behind one, " +
			"set Options.Authenticate (tokenserver: -clients)")
	}
	return &Gate{opts: o, asks: newLimiter(o.Rate), fails: newLimiter(o.Rate)}
}

// Gate returns the handler's gate, for handlers beside it.
func (h *Handler) Gate() *Gate { return h.gate }

// Admit sets the headers of the answer, and returns who asks, if the request may be
// served. Otherwise it has been answered and logged: a refusal, or what a browser asks
// before a request of another origin (OPTIONS). The request's body is bounded from then
// on. methods are those that the request may have.
func (g *Gate) Admit(w http.ResponseWriter, r *http.Request, methods ...string) (who Identity, ok bool) {
	id := answerHeaders(w)
	refusal, done := g.enter(w, r, methods...)
	if done {
		return Identity{}, false
	}
	who, refusal = g.identify(r, refusal)
	if refusal.none() {
		return who, true
	}
	refusal.requestID = id
	g.logRefusal(r, who, refusal)
	g.fail(w, refusal)
	return Identity{}, false
}

// A Problem is why a request that was admitted is not served.
type Problem struct {
	Status     int // of HTTP
	Code       string
	Message    string
	RequestID  string        // of the service that refused; the default is the request's own
	RetryAfter time.Duration // the default is none
}

// Refuse answers a request that was admitted with a problem, in the form of this package's
// answers, and logs it.
func (g *Gate) Refuse(w http.ResponseWriter, r *http.Request, who Identity, p Problem) {
	if p.RequestID == "" {
		p.RequestID = w.Header().Get("X-Request-Id")
	}
	refusal := problem{status: p.Status, code: p.Code, message: p.Message, requestID: p.RequestID, retryAfter: p.RetryAfter}
	g.logRefusal(r, who, refusal)
	g.fail(w, refusal)
}

// answerHeaders sets the headers that all answers have, and returns the request's ID.
func answerHeaders(w http.ResponseWriter) (id string) {
	id = newRequestID()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Request-Id", id)
	return id
}

// enter checks everything about a request but its path and its identity. It may have
// answered it already.
func (g *Gate) enter(w http.ResponseWriter, r *http.Request, methods ...string) (refusal problem, done bool) {
	mayAsk := g.cors(w, r) // first: pages read the refusals below, too
	if site := g.checkSite(r); !site.none() {
		return site, false
	}
	if !mayAsk {
		return problemOrigin, false
	}
	if r.Method == http.MethodOptions {
		g.preflight(w, r)
		return problem{}, true
	}
	if !slices.Contains(methods, r.Method) {
		w.Header().Set("Allow", strings.Join(append(slices.Clone(methods), http.MethodOptions), ", "))
		return problemMethod(methods), false
	}
	if r.ContentLength > g.opts.MaxBody {
		return problemTooLarge, false
	}
	r.Body = http.MaxBytesReader(w, r.Body, g.opts.MaxBody)
	return problem{}, false
}

// problemMethod is the refusal of another method than these.
func problemMethod(methods []string) problem {
	methods = slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return m == http.MethodHead })
	return problem{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", message: "Use " + strings.Join(methods, " or ") + "."}
}
