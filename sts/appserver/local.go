package appserver

import (
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
)

// local reports whether a request comes from this machine, as far as can be seen: not
// through a proxy that says so, behind which everybody would look local, and not under
// a name that a page elsewhere has pointed at this machine (DNS rebinding). A proxy
// that says nothing cannot be seen.
func local(r *http.Request) bool {
	if !r.ProtoAtLeast(1, 1) {
		return false // a client of HTTP/1.0 is a proxy: nginx, by default
	}
	for name := range r.Header {
		if ofProxy(name) {
			return false
		}
	}
	return loopbackHost(hostOnly(r.RemoteAddr)) && loopbackHost(hostOnly(r.Host))
}

// ofProxy reports whether a header, in its canonical form, is one that proxies and
// content delivery networks add.
func ofProxy(name string) bool {
	switch name {
	case "Forwarded", "Via", "Cdn-Loop", "X-Envoy-External-Address":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded") || strings.HasPrefix(name, "X-Original-") ||
		clientHeader.MatchString(name)
}

// clientHeader are the headers in which those have the client's address: X-Real-Ip,
// True-Client-Ip, Cf-Connecting-Ip, X-Azure-Clientip and their like.
var clientHeader = regexp.MustCompile(`(?i)(real|client|connecting|user|remote|source|originating)-?(ip|addr|address)$`)

func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// hostOnly returns the host of "host:port", or of a host without a port.
func hostOnly(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.Trim(address, "[]")
}
