package appserver

import (
	"errors"
	"net/http"
	"time"
)

// ErrThrottled is returned by [Handler.Identify] for a client that asks too often. Answer
// it with HTTP status 429.
var ErrThrottled = errors.New("appserver: too many requests")

// Identify authenticates r, for a handler beside this one that serves the same clients: it
// calls [Options.Authenticate], or serves this machine only without it, with the same
// limits and the same log as a request for a token. It refuses requests that a page of
// another site makes. The error is [ErrUnauthenticated], [ErrForbidden], [ErrThrottled]
// or, where Authenticate failed, another, whose cause is in the log.
func (h *Handler) Identify(r *http.Request) (Identity, error) {
	refusal := h.gate.checkSite(r)
	if fromAnotherSite(r) {
		refusal = problemOrigin
	}
	who, refusal := h.gate.identify(r, refusal)
	if refusal.none() {
		return who, nil
	}
	h.gate.logRefusal(r, who, refusal)
	switch refusal.status {
	case http.StatusUnauthorized:
		return Identity{}, ErrUnauthenticated
	case http.StatusForbidden:
		return Identity{}, ErrForbidden
	case http.StatusTooManyRequests:
		return Identity{}, ErrThrottled
	}
	return Identity{}, errors.New("appserver: authentication failed")
}

// identify authenticates a request that was not refused before, and counts it. Who has
// an identity is counted by that, and not by the address: others there may send
// nonsense. All who are refused are counted by their address. The limit does not keep
// a request from Authenticate, then: it takes secrets that cannot be guessed for that.
func (g *Gate) identify(r *http.Request, refusal problem) (Identity, problem) {
	var who Identity
	if refusal.none() {
		who, refusal = g.authenticate(r)
	}
	address := clientOf(g.clientAddress(r))
	switch {
	case refusal.none() && !g.asks.allow(limitKey(who, address), time.Now()):
		return who, problemRate
	case !refusal.none() && refusal.status < http.StatusInternalServerError && !g.fails.allow(address, time.Now()):
		return who, problemRate
	}
	return who, refusal
}

// limitKey is what an identity's requests are counted under. Names of any length may
// come from Authenticate; a session's name is short.
func limitKey(who Identity, address string) string {
	switch {
	case who.Name != "":
		return "name " + sessionName(who.Name)
	case who.ObjectPrefix != "":
		return "prefix " + sessionName(who.ObjectPrefix)
	}
	return "address " + address
}

func (g *Gate) authenticate(r *http.Request) (Identity, problem) {
	if g.opts.Authenticate == nil {
		if !g.opts.AllowAnyone && !local(r) {
			return Identity{}, problemNotLocal
		}
		return Identity{}, problem{}
	}
	who, err := g.opts.Authenticate(r)
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
	g.opts.Logger.Error("authentication failed", "error", err)
	p := problemInternal
	p.token = false
	return who, p
}

// logRefusal writes a line for each refused request, but for those that are throttled
// one a second at most: a flood must not fill the disk.
func (g *Gate) logRefusal(r *http.Request, who Identity, p problem) {
	more := 0
	if p.status == http.StatusTooManyRequests {
		var due bool
		if more, due = g.quiet.sample(time.Now()); !due {
			return
		}
	}
	args := []any{"code", p.code, "status", p.status, "request_id", p.requestID,
		"remote", g.clientAddress(r), "method", r.Method, "origin", r.Header.Get("Origin")}
	if who.Name != "" {
		args = append(args, "identity", who.Name)
	}
	if more > 0 {
		args = append(args, "not_logged", more)
	}
	g.opts.Logger.Info("request refused", args...)
}
