package transfer

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

// ParseTarget returns the destination of an upload. The error begins with the field
// that is wrong, and says what was got and what was wanted.
func ParseTarget(endpoint, region, bucket, object string) (Target, error) {
	e, err := wire.ParseEndpoint(endpoint)
	for _, c := range []struct {
		field string
		err   error
	}{{"Endpoint", err}, {"Bucket", wire.CheckBucket(bucket)}, {"Object", wire.CheckObject(object)}} {
		if c.err != nil {
			return Target{}, fmt.Errorf("%s: %w", c.field, c.err)
		}
	}
	t := Target{Endpoint: e, Region: region, Bucket: bucket, Object: object}
	if err := t.Validate(); err != nil { // what the fields are together
		return Target{}, fmt.Errorf("%s: %w", "Endpoint", err)
	}
	return t, nil
}

// NewLimiter returns a limit of the bandwidth of all that it is given to.
func NewLimiter(bytesPerSecond int64) *wire.Limiter { return wire.NewLimiter(bytesPerSecond) }

// CheckRegion returns an error if region cannot be one. It may be empty.
func CheckRegion(region string) error { return wire.CheckRegion(region) }
