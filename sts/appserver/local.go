package appserver

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// local reports whether a request comes from this machine, without detours: not
// through a proxy, behind which everybody would look local, and not under a name
// that a page elsewhere has pointed at this machine (DNS rebinding).
func local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return loopbackHost(hostOnly(r.RemoteAddr)) && loopbackHost(hostOnly(r.Host))
}

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
