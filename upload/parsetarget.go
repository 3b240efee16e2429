package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// parseTarget checks a destination. The region is used if neither the options nor the
// endpoint's name give one; that of an acceleration endpoint does not.
func (c *Client) parseTarget(region, endpoint, bucket, object string) (target.Target, error) {
	for _, arg := range []struct{ field, value string }{
		{"Endpoint", endpoint}, {"Bucket", bucket}, {"Object", object},
	} {
		if arg.value == "" {
			return target.Target{}, fmt.Errorf("%w: File.%s is empty", ErrMissingArgument, arg.field)
		}
	}
	t, err := c.opts.locator().Target(endpoint, bucket, object)
	if err != nil {
		return t, invalid("File", err)
	}
	if t.Region == "" && t.Endpoint.Region == "" && target.CheckRegion(region) == nil {
		t.Region = region
	}
	c.warnWithoutRegion(t)
	return t, nil
}

// warnWithoutRegion logs, once, that requests are signed with V1.
func (c *Client) warnWithoutRegion(t target.Target) {
	if !t.LacksRegion() {
		return
	}
	if !c.shared.warnV1.Swap(true) {
		c.opts.Logger.Warn("no region is known, so requests are signed with V1, which OSS refuses to accounts and buckets that were made since 2025: "+setRegion, "endpoint", t.Endpoint)
	}
}
