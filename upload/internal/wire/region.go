package wire

import (
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

// pathStyle reports whether the bucket must stand in the path: no name can be put
// before an IP address, and most machines do not resolve those before localhost.
func (e Endpoint) pathStyle() bool {
	host, _, err := net.SplitHostPort(e.Host)
	if err != nil {
		host = strings.Trim(e.Host, "[]")
	}
	if host == "localhost" {
		return true
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}
