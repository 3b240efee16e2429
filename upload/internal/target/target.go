package target

import (
	"fmt"
	"net/url"
	"strings"
)

// A Target is where an object goes.
type Target struct {
	Endpoint Endpoint
	Region   string // "cn-hangzhou"; empty: from the endpoint's name, and signature V1 if that has none
	Bucket   string
	Object   string

	// RequestPayer says that this account pays for the requests, with every call:
	// OSS refuses the requests of strangers to a pay-by-requester bucket without it.
	RequestPayer bool
}

// URL returns where the object is, without a signature.
func (t Target) URL() string {
	u := url.URL{Scheme: t.Endpoint.Scheme, Host: t.Bucket + "." + t.Endpoint.Host, Path: "/" + t.Object}
	switch {
	case t.Endpoint.Custom:
		u.Host = t.Endpoint.Host
	case t.Endpoint.PathStyle():
		u.Host, u.Path = t.Endpoint.Host, "/"+t.Bucket+u.Path
	}
	return u.String()
}

// SigningRegion returns the region to sign for, or "" if none is known. The bucket's own
// information calls it "oss-cn-hangzhou", or "oss-cn-hzfinance"; the signature wants
// the region's ID.
func (t Target) SigningRegion() string {
	if t.Region == "" {
		return t.Endpoint.Region
	}
	region := strings.TrimPrefix(t.Region, "oss-")
	if known, ok := financeRegions[region]; ok {
		return known
	}
	return region
}

// LacksRegion reports whether requests to OSS are signed with V1 for want of a region.
// What runs on this machine is not OSS.
func (t Target) LacksRegion() bool { return t.SigningRegion() == "" && !t.Endpoint.isLocal() }

// Validate returns an error that names what is wrong with t.
func (t Target) Validate() error {
	if t.Endpoint.Host == "" || (t.Endpoint.Scheme != "http" && t.Endpoint.Scheme != "https") {
		return fmt.Errorf("endpoint %q: it must come from ParseEndpoint", t.Endpoint)
	}
	if err := CheckBucket(t.Bucket); err != nil {
		return err
	}
	if err := CheckObject(t.Object); err != nil {
		return err
	}
	if err := CheckRegion(t.SigningRegion()); err != nil {
		return err
	}
	// The bucket's own domain is what the console shows, so it is often given as
	// the endpoint. The SDK would put the bucket before it a second time.
	if rest, ok := strings.CutPrefix(t.Endpoint.Host, t.Bucket+"."); ok && !t.Endpoint.Custom && t.Endpoint.Region == "" && regionOf(rest) != "" {
		return fmt.Errorf("endpoint %q begins with the bucket %s: want %s", t.Endpoint.Host, t.Bucket, rest)
	}
	return nil
}

// CheckRegion returns an error if region cannot be one, "cn-hangzhou" or
// "oss-cn-hangzhou" for example. It may be empty.
func CheckRegion(region string) error {
	for _, c := range region {
		if !isLower(c) && !isDigit(c) && c != '-' {
			return fmt.Errorf("region %q: want lower-case letters, digits and hyphens, as in cn-hangzhou", Clip(region))
		}
	}
	if short := withoutZone(region); short != region {
		return fmt.Errorf("region %q is a zone: want its region, %s", region, short)
	}
	return nil
}
