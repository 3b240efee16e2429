package appserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// healthPath is where the server says that it is alive.
const healthPath = "/healthz"

// A Handler is the token server. GET and POST of its path give a token, GET of
// /healthz says that it is alive and how the last call of STS went. It is safe
// for concurrent use.
type Handler struct {
	opts    Options
	bucket  string
	prefix  string
	session string
	policy  *template
	tokens  *tokens
	limiter *limiter
	started time.Time
}

// Close ends calls of STS that are under way. Requests for a token fail from then
// on. Stop the HTTP server first, so that its clients are still served.
func (h *Handler) Close() error {
	h.tokens.close()
	return nil
}

// Format writes the handler's bucket and prefix, whatever the verb: fmt would
// print the fields inside, where the key is.
func (h *Handler) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "appserver.Handler(bucket %q, prefix %q)", h.bucket, h.prefix)
}

// ServeHTTP answers a request for a token.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newRequestID()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Request-Id", id)
	refusal, done := h.admit(w, r)
	if !done && refusal.none() {
		refusal = h.serveToken(w, r)
	}
	if refusal.none() {
		return
	}
	if refusal.requestID == "" {
		refusal.requestID = id
	}
	w.Header().Set("X-Request-Id", refusal.requestID)
	h.opts.Logger.Info("request refused", "code", refusal.code, "status", refusal.status, "request_id", refusal.requestID,
		"remote", r.RemoteAddr, "method", r.Method, "origin", r.Header.Get("Origin"))
	h.fail(w, refusal)
}

// admit checks everything about a request but who asks. It may have answered it
// already.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (refusal problem, done bool) {
	if r.URL.Path == healthPath && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		h.serveHealth(w)
		return problem{}, true
	}
	mayAsk := h.cors(w, r) // first: pages read the refusals below, too
	switch {
	case headerSize(r) > h.opts.MaxHeader:
		return problemHeader, false
	case !h.limiter.allow(clientOf(r.RemoteAddr), time.Now()):
		return problemRate, false
	case r.URL.Path != h.opts.Path && (r.URL.Path != "" || h.opts.Path != "/"): // "" is what StripPrefix may leave
		return problemNotFound, false
	case !mayAsk:
		return problemOrigin, false
	}
	switch r.Method {
	case http.MethodOptions:
		h.preflight(w, r)
		return problem{}, true
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST, OPTIONS")
		return problemMethod, false
	}
	if r.ContentLength > h.opts.MaxBody {
		return problemTooLarge, false
	}
	r.Body = http.MaxBytesReader(w, r.Body, h.opts.MaxBody)
	return problem{}, false
}

// serveToken answers with a token, or returns why not.
func (h *Handler) serveToken(w http.ResponseWriter, r *http.Request) problem {
	who, refusal := h.authenticate(r)
	if !refusal.none() {
		return refusal
	}
	key, err := h.keyOf(who)
	if err != nil {
		h.opts.Logger.Error("identity cannot be served", "identity", who.Name, "prefix", who.ObjectPrefix, "error", err,
			"request_id", w.Header().Get("X-Request-Id"))
		return problemInternal
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.opts.Wait)
	defer cancel()
	c, err := h.tokens.get(ctx, key)
	if err != nil {
		return problemOf(err)
	}
	h.opts.Logger.Debug("token handed out", "identity", who.Name, "session", key.session, "credentials", c, "remote", r.RemoteAddr)
	write(w, http.StatusOK, newAnswer(c))
	return problem{}
}

func (h *Handler) authenticate(r *http.Request) (Identity, problem) {
	if h.opts.Authenticate == nil {
		if !h.opts.AllowAnyone && !local(r) {
			return Identity{}, problemNotLocal
		}
		return Identity{}, problem{}
	}
	who, err := h.opts.Authenticate(r)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return who, problem{}
	case errors.Is(err, ErrUnauthenticated):
		return who, problemAuthenticate
	case errors.Is(err, ErrForbidden):
		return who, problemForbidden
	case errors.As(err, &tooLarge):
		return who, problemTooLarge
	}
	h.opts.Logger.Error("authentication failed", "error", err)
	p := problemInternal
	p.token = false
	return who, p
}

// keyOf returns what the identity's token is kept under: its session and its
// policy.
func (h *Handler) keyOf(who Identity) (tokenKey, error) {
	if err := validatePrefix(who.ObjectPrefix); err != nil {
		return tokenKey{}, fmt.Errorf("the identity's ObjectPrefix %w", err)
	}
	policy := h.policy
	if who.Policy != "" {
		var err error
		if policy, err = parseTemplate([]byte(who.Policy)); err != nil {
			return tokenKey{}, fmt.Errorf("the identity's policy %w", err)
		}
	}
	text, err := policy.fill(h.bucket, h.prefix+who.ObjectPrefix)
	if err != nil {
		return tokenKey{}, err
	}
	session := h.session
	if who.Name != "" {
		session = sessionName(who.Name)
	}
	return tokenKey{session: session, policy: text}, nil
}

// headerSize is what a request's URL and header take, roughly as on the wire.
func headerSize(r *http.Request) int64 {
	size := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	return int64(size)
}

// newRequestID names a request that STS gave no name to.
func newRequestID() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails, by its documentation
	return strings.ToUpper(hex.EncodeToString(b))
}
