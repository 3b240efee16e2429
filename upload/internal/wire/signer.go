package wire

import (
	"crypto/fips140"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A signer is the SDK's client for one endpoint and one set of credentials. It is made
// once for each: the SDK reads the three strings of a set one by one, so they must never
// change under it.
type signer struct {
	snapshot Snapshot
	endpoint target.Endpoint
	region   string
	sdk      *oss.Client
}

// signer returns the signer for s, which is mostly that of the last request about the
// object; for the first one, that of the client's last request.
func (o *Object) signer(s Snapshot) (*signer, error) {
	endpoint, region := o.target.Endpoint, o.target.SigningRegion()
	for _, last := range [...]*signer{o.last.Load(), o.client.last.Load()} {
		if last != nil && last.snapshot == s && last.endpoint == endpoint && last.region == region {
			o.last.Store(last)
			return last, nil
		}
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	options := []oss.ClientOption{
		oss.HTTPClient(o.client.http),
		oss.SecurityToken(s.SecurityToken),
		oss.EnableCRC(false), // computed as the body is read, and race-free: see bodyReader
		oss.EnableMD5(false), // would hold the body in memory or write it to a file
		oss.UserAgent(userAgent()),
		oss.ForcePathStyle(endpoint.PathStyle()),
		oss.UseCname(endpoint.Custom),
	}
	switch {
	case region != "":
		options = append(options, oss.AuthVersion(oss.AuthV4), oss.Region(region))
	case fips140.Enforced(): // it would panic in the SDK
		return nil, errNotFIPS
	}
	// Without a scheme the SDK would take http.
	sdk, err := oss.New(endpoint.String(), s.AccessKeyID, s.AccessKeySecret, options...)
	if err != nil {
		return nil, err
	}
	made := &signer{s, endpoint, region, sdk}
	o.last.Store(made)
	o.client.last.Store(made)
	return made, nil
}

var errNotFIPS = errors.New("signature V1 is an HMAC-SHA1, which FIPS 140-only mode forbids: with Options.Region, requests are signed by V4")

// userAgent names this library and the SDK under it.
var userAgent = sync.OnceValue(func() string {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == "github.com/vodupload/vodupload" && m.Version != "" {
				version = m.Version
			}
		}
	}
	return "vodupload/" + version + " aliyun-sdk-go/" + oss.Version +
		" (" + runtime.GOOS + "/" + runtime.GOARCH + ";" + runtime.Version() + ")"
})
