package main

import (
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// startSTS starts an STS on this machine, which takes the same key as the OSS server,
// and makes the OSS server accept its tokens.
func startSTS(opts *osstest.Options, key osstest.Key) *ststest.Server {
	server := ststest.NewServer(&ststest.Options{
		Users: []ststest.User{{AccessKeyID: key.AccessKeyID, AccessKeySecret: key.AccessKeySecret}},
	})
	opts.Keys = []osstest.Key{key}
	opts.LookupKey = func(id, token string) (osstest.Key, bool) {
		c, ok := server.Lookup(id, token)
		return osstest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret,
			SecurityToken: c.SecurityToken, Expires: c.Expires, Policy: c.Policy}, ok
	}
	return server
}
