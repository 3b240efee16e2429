package config

import "cmp"

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

// Place returns how a bucket is reached. What flags and the environment say comes before
// what the file says of this bucket, and that before what it says of all. The error is an
// *Error.
func (c *Config) Place(name string) (Place, error) {
	p := Place{Region: c.Region.Value}
	of := c.buckets[name]
	if of.region != "" && c.Region.fromFile() {
		p.Region = of.region
	}
	switch {
	case c.CustomDomain.Value != "":
		p.Endpoint, p.CustomDomains, p.Origin = c.CustomDomain.Value, []string{c.CustomDomain.Value}, c.CustomDomain.Origin
	case c.Endpoint.Value != "" && !c.Endpoint.fromFile():
		p.Endpoint, p.Origin = c.Endpoint.Value, c.Endpoint.Origin
	case of.domain != "":
		p.Endpoint, p.CustomDomains, p.Origin = of.domain, []string{of.domain}, of.origin
	case of.endpoint != "":
		p.Endpoint, p.Origin = of.endpoint, of.origin
	case c.Endpoint.Value != "" && (c.Region.Value == "" || c.Region.fromFile()):
		p.Endpoint, p.Origin = c.Endpoint.Value, c.Endpoint.Origin
	case p.Region != "":
		p.Endpoint, p.Origin = "oss-"+p.Region+".aliyuncs.com", "region by "+cmp.Or(c.Region.Origin, of.origin)
	default:
		of := ""
		if name != "" {
			of = " for bucket " + name
		}
		return p, wrong("endpoint", "not known%s: give --region or --endpoint, or set OSS_REGION", of)
	}
	return p, nil
}
