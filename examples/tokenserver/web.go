package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/vodupload/vodupload/examples/webupload"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// pagePath is where the upload page is.
const pagePath = "/upload/"

// web is what the command line says about the upload page.
type web struct {
	on       bool
	endpoint string
	custom   bool
	region   string
	sdk      string
}

func (w *web) validate(embedded bool) error {
	switch {
	case !w.on && (w.endpoint != "" || w.custom || w.region != "" || w.sdk != ""):
		return errors.New("-endpoint, -custom-domain, -region and -web-sdk are for the upload page: give -web as well")
	case w.on && embedded && (w.endpoint != "" || w.custom || w.region != ""):
		return errors.New("-embedded has an OSS server in this process for -web: leave -endpoint, -custom-domain and -region out")
	case w.custom && w.region == "":
		return errors.New("-custom-domain needs -region: the domain's name does not have it")
	case w.on && !embedded && w.endpoint == "":
		return errors.New("-web needs -endpoint, the host that the bucket is at, such as oss-cn-hangzhou.aliyuncs.com")
	}
	return nil
}

// mount returns the token server with the upload page beside it.
func (s *settings) mount(tokens *appserver.Handler, config *appserver.Config) (http.Handler, error) {
	page, err := webupload.New(&webupload.Options{
		Endpoint: s.web.endpoint, CustomDomain: s.web.custom, Region: s.web.region, Bucket: config.BucketName, Prefix: config.ObjectPrefix,
		Authenticate: tokens.Identify, SDK: s.web.sdk, Logger: s.opts.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("-web: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", tokens)
	mux.Handle(pagePath, http.StripPrefix(strings.TrimSuffix(pagePath, "/"), page))
	return mux, nil
}

// embedOSS starts an OSS server that takes the tokens of an STS in this process, and
// makes the page use it. It keeps what it is given in a temporary directory, which goes
// with it.
func (s *settings) embedOSS(server *ststest.Server, bucket string) (end func(), err error) {
	dir, err := os.MkdirTemp("", "tokenserver-oss-")
	if err != nil {
		return nil, fmt.Errorf("-web: %w", err)
	}
	oss := osstest.NewServer(&osstest.Options{
		Dir: dir, Buckets: []string{bucket},
		CORS: []osstest.CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"PUT", "POST", "DELETE", "HEAD"},
			AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag", "x-oss-request-id"}}},
		LookupKey: func(id, token string) (osstest.Key, bool) {
			c, ok := server.Lookup(id, token)
			return osstest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret,
				SecurityToken: c.SecurityToken, Expires: c.Expires, Policy: c.Policy}, ok
		},
	})
	// The web SDK takes an IP address for a bucket's own domain.
	s.web.endpoint = strings.Replace(oss.URL, "127.0.0.1", "localhost", 1)
	return func() { oss.Close(); os.RemoveAll(dir) }, nil
}
