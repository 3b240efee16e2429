package target

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Endpoints whose names do not hold their region's ID: those of the finance cloud (OSS
// documentation, Regions and endpoints). Without this table, "cn-hzfinance" would be
// signed for as if it were a region.
var financeRegions = map[string]string{
	"cn-hangzhou-finance":       "cn-hangzhou-finance",
	"cn-hzfinance":              "cn-hangzhou-finance",
	"cn-hzjbp":                  "cn-hangzhou-finance",
	"cn-hzjbp-a":                "cn-hangzhou-finance",
	"cn-hzjbp-b":                "cn-hangzhou-finance",
	"cn-shanghai-finance":       "cn-shanghai-finance-1",
	"cn-shanghai-finance-1":     "cn-shanghai-finance-1",
	"cn-shanghai-finance-1-pub": "cn-shanghai-finance-1",
	"cn-shenzhen-finance":       "cn-shenzhen-finance-1",
	"cn-shenzhen-finance-1":     "cn-shenzhen-finance-1",
	"cn-szfinance":              "cn-shenzhen-finance-1",
	"cn-beijing-finance-1":      "cn-beijing-finance-1",
	"cn-beijing-finance-1-pub":  "cn-beijing-finance-1",
}

// regionOf reads the region from a name that OSS gives an endpoint, or returns "".
// The forms are oss-REGION.aliyuncs.com, with -internal for a region's inner network,
// with vpc100- before it for an older one; REGION.oss.aliyuncs.com for both versions
// of IP (OSS documentation, Regions and endpoints); s3.oss-REGION.aliyuncs.com for the
// interface of S3, and oss-REGION.oss-accesspoint.aliyuncs.com for access points.
func regionOf(host string) string {
	name, ok := strings.CutSuffix(host, ".aliyuncs.com")
	if !ok {
		return ""
	}
	if region, ok := strings.CutSuffix(name, ".oss"); ok {
		return regionNamed(region)
	}
	name = strings.TrimSuffix(name, ".oss-accesspoint")
	name = strings.TrimPrefix(name, "s3.")
	name = strings.TrimPrefix(name, "vpc100-")
	region, ok := strings.CutPrefix(name, "oss-")
	if !ok {
		return ""
	}
	return regionNamed(strings.TrimSuffix(region, "-internal"))
}

// regionNamed returns the ID of the region which that part of an endpoint stands for.
// It is the same text but for the finance cloud, whose names follow no rule: one that
// is not in the table says nothing. Nor do the names for transfer acceleration.
func regionNamed(name string) string {
	if region, ok := financeRegions[name]; ok {
		return region
	}
	switch {
	case strings.ContainsAny(name, "._"), !strings.Contains(name, "-"),
		strings.HasPrefix(name, "accelerate"), strings.Contains(name, "finance"), strings.Contains(name, "jbp"):
		return ""
	}
	return withoutZone(name)
}

// withoutZone cuts the letter of a zone: some inner endpoints are those of one zone,
// and no region's ID ends in a single letter.
func withoutZone(name string) string {
	if n := len(name) - 2; n > 0 && name[n] == '-' && isLower(rune(name[n+1])) && strings.Contains(name[:n], "-") {
		return name[:n]
	}
	return name
}

// PathStyle reports whether the bucket must stand in the path: no name can be put
// before an IP address, and most machines do not resolve those before localhost.
func (e Endpoint) PathStyle() bool {
	return !e.Custom && (e.Name() == "localhost" || e.isAddress())
}

func (e Endpoint) isLocal() bool {
	a, err := netip.ParseAddr(e.Name())
	return e.Name() == "localhost" || err == nil && a.IsLoopback()
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
