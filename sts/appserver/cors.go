package appserver

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/sts/internal/weburl"
)

// validateOrigins refuses what no browser would ever send as an origin.
func validateOrigins(origins []string) error {
	for i, o := range origins {
		if o == "*" || o == "null" {
			continue
		}
		u, err := weburl.Parse(o)
		if err == nil && (u.Path != "" || weburl.Bare(u) != o) {
			err = errors.New("want scheme and host alone, without a slash at its end")
		}
		if err != nil {
			return fmt.Errorf("appserver: origin %d of %d: want one such as https://example.com, or * or null: %w", i+1, len(origins), err)
		}
	}
	return nil
}

// cors sets the headers that let a page of another origin read the answer. It
// reports false if the request comes from a page that may not ask.
func (g *Gate) cors(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || sameOrigin(origin, r.Host) {
		return true
	}
	switch {
	case g.listed(origin):
		w.Header().Set("Access-Control-Allow-Origin", origin)
	case slices.Contains(g.opts.Origins, "*"):
		w.Header().Set("Access-Control-Allow-Origin", "*")
	default:
		return false
	}
	w.Header().Set("Access-Control-Expose-Headers", "Retry-After, X-Request-Id")
	return true
}

// preflight answers the question that a browser asks before a request with a
// header of its own.
func (g *Gate) preflight(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", strings.Join(g.opts.AllowHeaders, ", "))
	w.Header().Set("Access-Control-Max-Age", "600")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		w.Header().Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
}

func (g *Gate) listed(origin string) bool {
	return slices.ContainsFunc(g.opts.Origins, func(o string) bool { return strings.EqualFold(o, origin) })
}

// sameOrigin compares hosts only: behind a proxy that ends TLS, the scheme is not
// known.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
