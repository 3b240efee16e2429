package webupload

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const sdkName = "aliyun-oss-sdk.min.js"

// sdkFile is where npm puts the SDK.
var sdkFile = filepath.Join("node_modules", "ali-oss", "dist", sdkName)

// The limits of parts and of requests in flight.
const (
	minPartSize = 100 << 10
	maxPartSize = 100 << 20
	maxParallel = 6
)

var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// resolved returns the options with the defaults filled in.
func (opts *Options) resolved() (*Options, error) {
	o := *opts
	if o.Token == "" {
		o.Token = "/"
	}
	if o.PartSize == 0 {
		o.PartSize = 1 << 20
	}
	if o.Parallel == 0 {
		o.Parallel = 5
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case !bucketForm.MatchString(o.Bucket):
		return nil, fmt.Errorf("webupload: Bucket is %q; want 3 to 63 of a-z, 0-9 and hyphens", o.Bucket)
	case o.Prefix != "" && (!strings.HasSuffix(o.Prefix, "/") || strings.HasPrefix(o.Prefix, "/")):
		return nil, fmt.Errorf("webupload: Prefix is %q; want a slash at its end, and none at its beginning", o.Prefix)
	case !strings.HasPrefix(o.Token, "/") || strings.HasPrefix(o.Token, "//"):
		return nil, fmt.Errorf("webupload: Token is %q; want a path on this host", o.Token)
	case o.PartSize < minPartSize || o.PartSize > maxPartSize:
		return nil, fmt.Errorf("webupload: PartSize is %d; want %d to %d bytes", o.PartSize, minPartSize, maxPartSize)
	case o.Parallel < 1 || o.Parallel > maxParallel:
		return nil, fmt.Errorf("webupload: Parallel is %d; want 1 to %d", o.Parallel, maxParallel)
	}
	var err error
	o.SDK, err = findSDK(o.SDK)
	return &o, err
}

// findSDK returns the SDK's file: the given one, or one that it finds.
func findSDK(given string) (string, error) {
	places := []string{given}
	if given == "" {
		places = places[:0]
		for _, dir := range []string{"examples/webupload", "webupload", "../webupload", "."} {
			places = append(places, filepath.Join(filepath.FromSlash(dir), sdkFile))
		}
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() {
			return filepath.Abs(place)
		}
	}
	return "", fmt.Errorf("webupload: the web SDK is not at %s: run \"npm ci\" in examples/webupload",
		strings.Join(places, ", nor at "))
}

// A site is the bucket as the page reaches it.
type site struct {
	settings settings
	url      string // of the bucket
	origin   string // scheme and host of all requests to the bucket
}

func newSite(o *Options) (*site, error) {
	u, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	pathStyle := !o.CustomDomain && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil)
	s := &site{settings: settings{Endpoint: u.Scheme + "://" + u.Host, Bucket: o.Bucket, PathStyle: pathStyle, Custom: o.CustomDomain, Region: o.Region}}
	if s.settings.Region == "" {
		s.settings.Region = regionOf(u.Hostname())
	}
	s.settings.V4 = s.settings.Region != ""
	switch {
	case o.CustomDomain:
		s.origin = s.settings.Endpoint
		s.url = s.origin + "/"
	case pathStyle:
		s.origin = s.settings.Endpoint
		s.url = s.origin + "/" + o.Bucket + "/"
	default:
		s.origin = u.Scheme + "://" + o.Bucket + "." + u.Host
		s.url = s.origin + "/"
	}
	return s, nil
}

var hostForm = regexp.MustCompile(`^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d+)?$`)

func parseEndpoint(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, errors.New("webupload: Endpoint is empty; want a host such as oss-cn-hangzhou.aliyuncs.com")
	}
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(strings.TrimSuffix(endpoint, "/"))
	// The host goes into a header, where a space or a semicolon would end its part.
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !hostForm.MatchString(u.Host) || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		// Not shown: a key may be in it.
		return nil, errors.New("webupload: Endpoint: want a host, or http:// or https:// and a host, without a path, a query or a user name")
	}
	return u, nil
}

var regionForm = regexp.MustCompile(`^oss-([a-z0-9-]+?)(-internal)?\.aliyuncs\.com$`)

// regionOf returns the region that an endpoint's name has in it, or "".
func regionOf(host string) string {
	m := regionForm.FindStringSubmatch(host)
	if m == nil || strings.HasPrefix(m[1], "accelerate") {
		return ""
	}
	return m[1]
}
