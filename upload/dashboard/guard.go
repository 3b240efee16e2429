package dashboard

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/upload"
)

// contentPolicy lets the page load its own script, style and data, and nothing else. It
// has no inline script or style.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func secure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// A refusal is why a request is not served. The zero value is none.
type refusal struct {
	status int
	text   string
}

// refusalOf decides by the request alone. admitted says that somebody else decides who
// may ask.
func refusalOf(r *http.Request, hosts []string, admitted bool) refusal {
	switch {
	case !knownHost(r.Host, hosts):
		return refusal{http.StatusMisdirectedRequest, "The dashboard does not answer under this name: see Options.Hosts."}
	case fromAnotherSite(r):
		return refusal{http.StatusForbidden, "The request is from a page of another site."}
	case !admitted && !local(r):
		return refusal{http.StatusForbidden, "The dashboard answers this machine only, and no proxy: see Options.Admit."}
	}
	return refusal{}
}

// checkHosts refuses what is no name of a host.
func checkHosts(hosts []string) error {
	for _, h := range hosts {
		if h == "" || strings.ContainsAny(h, "/:*@ ") {
			return fmt.Errorf("%w: dashboard.Options.Hosts: got %q, want a name like uploads.example.com, without scheme and port", upload.ErrInvalidArgument, h)
		}
	}
	return nil
}

// knownHost reports whether the page may be asked for under a name. Addresses cannot be
// pointed elsewhere by the owner of a name.
func knownHost(hostport string, hosts []string) bool {
	name := hostOnly(hostport)
	if _, err := netip.ParseAddr(name); err == nil || strings.EqualFold(name, "localhost") {
		return true
	}
	name = strings.TrimSuffix(name, ".")
	return slices.ContainsFunc(hosts, func(known string) bool { return strings.EqualFold(strings.TrimSuffix(known, "."), name) })
}

func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// fromAnotherSite reports whether a browser says so. That somebody follows a link to the
// page is fine: it cannot be framed, and nothing of it gets back.
func fromAnotherSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "" && site != "same-origin" && site != "none" {
		page := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
		return !page
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	_, host, ok := strings.Cut(origin, "://")
	return !ok || !strings.EqualFold(host, r.Host)
}

// local reports whether a request comes from this machine itself. A proxy on it would let
// everybody in without showing.
func local(r *http.Request) bool {
	for _, passedOn := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(passedOn) != "" {
			return false
		}
	}
	ip, err := netip.ParseAddr(hostOnly(r.RemoteAddr))
	return err == nil && ip.Unmap().IsLoopback()
}
