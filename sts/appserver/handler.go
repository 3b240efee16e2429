package appserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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
	gate    *Gate
	bucket  string
	prefix  string
	session string
	policy  *template
	tokens  *tokens
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
	id := answerHeaders(w)
	refusal, done := h.admit(w, r)
	if done {
		return
	}
	who, refusal := h.gate.identify(r, refusal)
	if refusal.none() {
		refusal = h.serveToken(w, r, who)
	}
	if refusal.none() {
		return
	}
	if refusal.requestID == "" {
		refusal.requestID = id
	}
	w.Header().Set("X-Request-Id", refusal.requestID)
	h.gate.logRefusal(r, who, refusal)
	h.gate.fail(w, refusal)
}

// admit checks everything about a request but its identity. It may have answered it
// already.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (refusal problem, done bool) {
	if r.URL.Path == healthPath && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		if refusal := h.gate.checkSite(r); !refusal.none() {
			return refusal, false
		}
		h.serveHealth(w)
		return problem{}, true
	}
	if r.URL.Path != h.opts.Path && (r.URL.Path != "" || h.opts.Path != "/") { // "" is what StripPrefix may leave
		h.gate.cors(w, r) // pages read the refusal, too
		if site := h.gate.checkSite(r); !site.none() {
			return site, false
		}
		return problemNotFound, false
	}
	return h.gate.enter(w, r, http.MethodGet, http.MethodHead, http.MethodPost)
}

// serveToken answers with a token, or returns why not.
func (h *Handler) serveToken(w http.ResponseWriter, r *http.Request, who Identity) problem {
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
	h.opts.Logger.Debug("token handed out", "identity", who.Name, "session", key.session, "credentials", c, "remote", h.gate.clientAddress(r))
	write(w, http.StatusOK, newAnswer(c))
	return problem{}
}

// Validate returns why an identity cannot get a token: its prefix or its policy is
// wrong, or its prefix has no place in the policy. It asks nobody.
func (h *Handler) Validate(who Identity) error {
	if _, err := h.keyOf(who); err != nil {
		return fmt.Errorf("appserver: %w", err)
	}
	return nil
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

// newRequestID names a request that STS gave no name to.
func newRequestID() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails, by its documentation
	return strings.ToUpper(hex.EncodeToString(b))
}
