package vod

import (
	"fmt"
	"regexp"
)

// DefaultRegion is where VOD is asked unless told otherwise, as in the clients for
// mobile and the web.
const DefaultRegion = "cn-shanghai"

var regionForm = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)

// endpoint returns the address of VOD in a region (VOD documentation, VOD centers and
// endpoints).
func endpoint(region string) (string, error) {
	if !regionForm.MatchString(region) {
		return "", fmt.Errorf("%w: Region: got %q, want the form of %q", ErrParameter, region, DefaultRegion)
	}
	return "https://vod." + region + ".aliyuncs.com", nil
}
