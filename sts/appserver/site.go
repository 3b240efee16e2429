package appserver

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// checkSite refuses what a page that the user happens to look at makes a browser ask: a
// request under a name that the page's owner has pointed here (DNS rebinding), and one
// without an Origin for a picture, a script or the like.
func (g *Gate) checkSite(r *http.Request) problem {
	switch {
	case !g.knownHost(hostOnly(r.Host)):
		return problemHost
	case fromAnotherSite(r) && r.Header.Get("Origin") == "":
		return problemOrigin
	}
	return problem{}
}

// knownHost reports whether the server may be asked under a name. Addresses cannot be
// pointed elsewhere. Where Authenticate asks for a secret that no other site has, any
// name will do, unless Hosts says otherwise.
func (g *Gate) knownHost(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || name == "" || strings.EqualFold(name, "localhost") {
		return true
	}
	if len(g.opts.Hosts) == 0 {
		return g.opts.Authenticate != nil
	}
	name = strings.TrimSuffix(name, ".")
	return slices.ContainsFunc(g.opts.Hosts, func(known string) bool { return strings.EqualFold(known, name) })
}

// fromAnotherSite reports whether a browser says so, as current ones do over https and
// to loopback. None is what it says of an address that the user typed.
func fromAnotherSite(r *http.Request) bool {
	sites := r.Header.Values("Sec-Fetch-Site")
	return slices.ContainsFunc(sites, func(site string) bool { return site != "same-origin" && site != "none" })
}

// clientAddress returns the client's address, without a port. A proxy that
// Options.Proxies has is believed about the one before it, and nobody else.
func (g *Gate) clientAddress(r *http.Request) string {
	address := hostOnly(r.RemoteAddr)
	if !g.isProxy(address) {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = hostOnly(strings.TrimSpace(hop))
		if _, err := netip.ParseAddr(hop); err != nil {
			break // what stands before it was not written by a proxy of ours
		}
		address = hop
		if !g.isProxy(hop) {
			break
		}
	}
	return address
}

func (g *Gate) isProxy(address string) bool {
	if len(g.opts.Proxies) == 0 {
		return false
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(g.opts.Proxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
}
