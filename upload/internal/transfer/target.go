package transfer

import (
	"fmt"
	"slices"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// A Locator reads where objects go.
type Locator struct {
	Region        string   // of all buckets; empty: what the endpoint's name tells
	CustomDomains []string // that are mapped to buckets; from CustomDomain
}

// CustomDomain returns the name of a domain, as a [Locator] wants it.
func CustomDomain(s string) (string, error) { return wire.CustomDomain(s) }

func (l Locator) endpoint(s string) (Endpoint, error) {
	e, err := wire.ParseEndpoint(s)
	e.Custom = slices.Contains(l.CustomDomains, e.Name())
	return e, err
}

// Target returns the destination of an upload. The error begins with the field that
// is wrong, and says what was got and what was wanted.
func (l Locator) Target(endpoint, bucket, object string) (Target, error) {
	e, err := l.endpoint(endpoint)
	for _, c := range []struct {
		field string
		err   error
	}{{"Endpoint", err}, {"Bucket", wire.CheckBucket(bucket)}, {"Object", wire.CheckObject(object)}} {
		if c.err != nil {
			return Target{}, fmt.Errorf("%s: %w", c.field, c.err)
		}
	}
	t := Target{Endpoint: e, Region: l.Region, Bucket: bucket, Object: object}
	if err := t.Validate(); err != nil { // what the fields are together
		return Target{}, fmt.Errorf("%s: %w", "Endpoint", err)
	}
	return t, nil
}

// NewLimiter returns a limit of the bandwidth of all that it is given to.
func NewLimiter(bytesPerSecond int64) *wire.Limiter { return wire.NewLimiter(bytesPerSecond) }

// CheckRegion returns an error if region cannot be one. It may be empty.
func CheckRegion(region string) error { return wire.CheckRegion(region) }
