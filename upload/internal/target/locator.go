package target

import "slices"

// A Locator reads where objects go.
type Locator struct {
	Region        string   // of all buckets; empty: what the endpoint's name says
	CustomDomains []string // that are mapped to buckets; from CustomDomain
}

// Endpoint reads an endpoint, which may be one of the custom domains.
func (l Locator) Endpoint(s string) (Endpoint, error) {
	e, err := ParseEndpoint(s)
	e.Custom = slices.Contains(l.CustomDomains, e.Name())
	return e, err
}

// Target returns the destination of an upload. Its error is a *[FieldError] of
// Endpoint, Bucket or Object.
func (l Locator) Target(endpoint, bucket, object string) (Target, error) {
	return l.target(endpoint, bucket, "Object", object, CheckObject(object))
}

// Prefix returns the destinations whose objects begin with prefix, which may be empty.
// Its error is a *[FieldError] of Endpoint, Bucket or Prefix.
func (l Locator) Prefix(endpoint, bucket, prefix string) (Target, error) {
	t, err := l.target(endpoint, bucket, "Prefix", prefix+"x", CheckObject(prefix+"x"))
	t.Object = prefix
	return t, err
}

func (l Locator) target(endpoint, bucket, field, object string, wrong error) (Target, error) {
	e, err := l.Endpoint(endpoint)
	if err := firstOf(FieldError{"Endpoint", err}, FieldError{"Bucket", CheckBucket(bucket)}, FieldError{field, wrong}); err != nil {
		return Target{}, err
	}
	t := Target{Endpoint: e, Region: l.Region, Bucket: bucket, Object: object}
	if err := t.Validate(); err != nil { // what the fields are together
		return Target{}, &FieldError{"Endpoint", err}
	}
	return t, nil
}
