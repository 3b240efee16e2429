package target

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// regionOf reads the region from a name that OSS gives an endpoint, or returns "".
// The forms are oss-REGION.aliyuncs.com, with -internal for a region's inner
// network, with vpc100- before it for an older one, and REGION.oss.aliyuncs.com for
// both versions of IP (OSS documentation, Regions and endpoints).
func regionOf(host string) string {
	name, ok := strings.CutSuffix(host, ".aliyuncs.com")
	if !ok {
		return ""
	}
	if region, ok := strings.CutSuffix(name, ".oss"); ok {
		return checkRegion(region)
	}
	name = strings.TrimPrefix(name, "vpc100-")
	region, ok := strings.CutPrefix(name, "oss-")
	if !ok {
		return ""
	}
	return checkRegion(strings.TrimSuffix(region, "-internal"))
}

// checkRegion returns region if it looks like one: two words or more, and not one of
// the names for transfer acceleration.
func checkRegion(region string) string {
	if strings.ContainsAny(region, "._") || !strings.Contains(region, "-") || strings.HasPrefix(region, "accelerate") {
		return ""
	}
	return region
}

// PathStyle reports whether the bucket must stand in the path: no name can be put
// before an IP address, and most machines do not resolve those before localhost.
func (e Endpoint) PathStyle() bool {
	return !e.Custom && (e.Name() == "localhost" || e.isAddress())
}

func (e Endpoint) isAddress() bool {
	_, err := netip.ParseAddr(e.Name())
	return err == nil
}

// Name returns the host without its port.
func (e Endpoint) Name() string {
	if host, _, err := net.SplitHostPort(e.Host); err == nil {
		return host
	}
	return strings.Trim(e.Host, "[]")
}

// CustomDomain returns the name of a domain that is mapped to a bucket. Nothing can be
// mapped to an address.
func CustomDomain(s string) (string, error) {
	e, err := ParseEndpoint(s)
	if err == nil && e.isAddress() {
		err = fmt.Errorf("endpoint %q is an address: want a domain", s)
	}
	return e.Name(), err
}
