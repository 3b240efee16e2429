package wire

import (
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
)

// A signer is the SDK's client for one set of credentials. It is made once for each:
// the SDK reads the three strings of a set one by one, so they must never change
// under it.
type signer struct {
	snapshot Snapshot
	sdk      *oss.Client
}

// signer returns the signer for s, which is mostly the one of the last request.
func (o *Object) signer(s Snapshot) (*signer, error) {
	if last := o.last.Load(); last != nil && last.snapshot == s {
		return last, nil
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
		oss.ForcePathStyle(o.target.Endpoint.PathStyle()),
		oss.UseCname(o.target.Endpoint.Custom),
	}
	if region := o.target.SigningRegion(); region != "" {
		options = append(options, oss.AuthVersion(oss.AuthV4), oss.Region(region))
	}
	// Without a scheme the SDK would take http.
	sdk, err := oss.New(o.target.Endpoint.String(), s.AccessKeyID, s.AccessKeySecret, options...)
	if err != nil {
		return nil, err
	}
	made := &signer{snapshot: s, sdk: sdk}
	o.last.Store(made)
	return made, nil
}

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
