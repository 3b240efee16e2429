package config

import (
	"fmt"
)

// A bucket is what a file says of one bucket.
type bucket struct {
	region, endpoint, domain string
	origin                   string
}

// A Place is how a bucket is reached.
type Place struct {
	Endpoint      string
	Region        string
	CustomDomains []string
	Origin        string // of the endpoint
}

// Place returns how a bucket is reached. The error is an *Error.
func (c *Config) Place(name string) (Place, error) {
	p := Place{Endpoint: c.Endpoint.Value, Region: c.Region.Value, Origin: c.Endpoint.Origin}
	if c.CustomDomain.Value != "" {
		p.Endpoint, p.CustomDomains, p.Origin = c.CustomDomain.Value, []string{c.CustomDomain.Value}, c.CustomDomain.Origin
	}
	if p.Endpoint == "" && p.Region != "" {
		p.Endpoint = fmt.Sprintf("oss-%s.aliyuncs.com", p.Region)
	}
	if p.Endpoint == "" {
		return p, wrong("endpoint", "not known for bucket %s: give --region or --endpoint, or set OSS_REGION", name)
	}
	return p, nil
}
